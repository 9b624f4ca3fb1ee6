# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lib.sh - what the tools share: which files are whose, and what they need.

# need COMMAND PACKAGE - end with one line if it is not there.
need() {
	command -v "$1" >/dev/null && return
	echo "$1 is missing: run make setup, or apt install $2" >&2
	exit 1
}

# The languages, from names on the input. A header is C++ if its first line is a
# comment as C++ has it: the kernel asks for /* */ in the headers of C.
cxx_files() {
	local file start
	while IFS= read -r file; do
		case $file in
		# Kept as it was given: what others are measured against.
		tests/cxx/bench/limit*) ;;
		*.cc | *.hpp) echo "$file" ;;
		*.h)
			IFS= read -r -n 2 start <"$file" || true
			[[ $start != // ]] || echo "$file"
			;;
		esac
	done
}

c_files() {
	local file start
	while IFS= read -r file; do
		case $file in
		*.c) echo "$file" ;;
		*.h)
			IFS= read -r -n 2 start <"$file" || true
			[[ $start == // ]] || echo "$file"
			;;
		esac
	done
}

shell_files() {
	local file start
	text_files | while IFS= read -r file; do
		IFS= read -r -n 64 start <"$file" || true
		case $start in
		'#!/bin/bash'* | '#!/bin/sh'* | '#!/usr/bin/env bash'* | '# shellcheck shell='*) echo "$file" ;;
		esac
	done
}

# text_files - what we wrote: no data, and not a licence's own words.
text_files() {
	{ grep -vE '^(LICENSES|tests/fuzz/corpus)/|^tests/data/.*\.bin$' || true; } |
		run_on grep -lI .
}

# run_on COMMAND... - with the files from the input as arguments, several at a time;
# nothing is run without a file. A tool that finds something says so with its
# status, which is not news: that counts which is printed.
run_on() {
	local status=0
	xargs -r -d '\n' -n "${CHUNK:-8}" -P "$JOBS" "$@" || status=$?
	# 123: some of them ended with 1 to 125.
	((status == 0 || status == 123)) || return "$status"
}
