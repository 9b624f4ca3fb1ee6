// SPDX-License-Identifier: GPL-2.0-only
/*
 * name.c - what a C++ coroutine is called, for people. The first word of a frame is the
 * function that resumes it: its symbol tells whose frame it is.
 *
 * GCC calls it "<mangled f, with its frame for a parameter>.actor", and the frame's type
 * "<mangled f>.Frame", a local class of f: the mangled f stands there with its length in
 * front, "...E14_Z4leafi.Frame.actor". Addresses are never told.
 *
 * Contexts: those of struct kcoro_front.
 */
#include <linux/ctype.h>
#include <linux/kallsyms.h>
#include <linux/string.h>

#include "cxx.h"

#define FRAME ".Frame"

/* Digits in front of @at, as a number. */
static unsigned int number_before(const char *text, const char *at)
{
	unsigned int value = 0, unit = 1;

	while (at > text && isdigit(at[-1]) && unit < 100000) {
		value += (*--at - '0') * unit;
		unit *= 10;
	}
	return value;
}

/* The mangled name of the function in @symbol, which is cut behind it. */
static char *mangled(char *symbol)
{
	char *end = strstr(symbol, FRAME), *at;

	if (end)
		for (at = end; at >= symbol; at--)
			if (!strncmp(at, "_Z", 2) &&
			    number_before(symbol, at) == end - at + strlen(FRAME)) {
				*end = '\0';
				return at;
			}
	/* Another compiler's: up to the module's name, or to what it put behind. */
	symbol[strcspn(symbol, ". ")] = '\0';
	return symbol;
}

static char *function_of(void *code, char *symbol)
{
	sprint_symbol_no_offset(symbol, (unsigned long)code);
	/* There is none: the address. */
	if (!strncmp(symbol, "0x", 2))
		strscpy(symbol, "?", KSYM_SYMBOL_LEN);
	return mangled(symbol);
}

/* "_ZN3net5serveEi" -> "net::serve"; what is more than that stays as it is. */
static void plain_name(const char *name, char *text, size_t size)
{
	const char *at = name;
	size_t used = 0;

	if (strncmp(at, "_Z", 2)) {
		strscpy(text, name, size);
		return;
	}
	at += 2;
	/* Local to its file, or in a namespace. */
	at += *at == 'L';
	at += *at == 'N';
	while (isdigit(*at)) {
		unsigned int length = 0;

		while (isdigit(*at) && length < 1000)
			length = length * 10 + (*at++ - '0');
		length = min_t(unsigned int, length, strlen(at));
		used += scnprintf(text + used, size - used, "%s%.*s", used ? "::" : "",
				  (int)length, at);
		at += length;
	}
	if (!used)
		strscpy(text, name, size);
}

static void cxx_name(struct kcoro_coro *co, char *text, size_t size)
{
	struct kcoro_cxx_coro *c = container_of(co, struct kcoro_cxx_coro, co);
	char symbol[KSYM_SYMBOL_LEN];

	plain_name(function_of(c->function, symbol), text, size);
}

static u32 cxx_parent(struct kcoro_coro *co)
{
	return READ_ONCE(container_of(co, struct kcoro_cxx_coro, co)->parent);
}

static void cxx_functions(struct kcoro_coro *co, char *text, size_t size)
{
	struct kcoro_cxx_coro *c = container_of(co, struct kcoro_cxx_coro, co);
	char symbol[KSYM_SYMBOL_LEN];
	void *frame;
	size_t used = 0;

	/* Each frame names who awaits it; the outermost one the C++ object. */
	for (frame = *c->body.innermost; frame && frame != c->body.coro;
	     frame = *(void **)(frame + KCORO_CXX_CONTINUATION)) {
		const char *name = function_of(*(void **)frame, symbol);

		/* Room for this one, and for the word that it was not the last. */
		if (used + strlen(name) + 1 + strlen(" ...") >= size) {
			scnprintf(text + used, size - used, "%s...", used ? " " : "");
			return;
		}
		used += scnprintf(text + used, size - used, "%s%s", used ? " " : "", name);
	}
}

const struct kcoro_front kcoro_cxx_front = {
	.name = cxx_name,
	.parent = cxx_parent,
	.functions = cxx_functions,
};
