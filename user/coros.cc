// SPDX-License-Identifier: GPL-2.0-only
// coros.cc - see coros.h.
#include "user/coros.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using coro_object = skeleton<coro_bpf, coro_bpf::destroy>;

// As many rows as a map's value may have bytes for.
constexpr size_t most_rows = INT32_MAX / sizeof(kcoro_coro_info);
constexpr size_t most_scopes = INT32_MAX / sizeof(kcoro_scope_info);

// Coroutines come while they are counted: room for some more.
size_t with_room(size_t count, size_t most)
{
	return std::min(count + count / 8 + 64, most);
}

result<coro_object> load(size_t rows, size_t scopes)
{
	coro_object object(coro_bpf::open());

	if (!object)
		return load_failure("the list of coroutines", -errno);
	object->rodata->rows_bytes = static_cast<__u32>(rows * sizeof(kcoro_coro_info));
	object->rodata->scopes_bytes = static_cast<__u32>(scopes * sizeof(kcoro_scope_info));
	bpf_map__set_value_size(object->maps.rows, object->rodata->rows_bytes);
	bpf_map__set_value_size(object->maps.scopes, object->rodata->scopes_bytes);
	if (int err = coro_bpf::load(object.get()); err)
		return load_failure("the list of coroutines", err);
	return object;
}

template <size_t N> void copy_name(char (&to)[N], const std::string &from)
{
	to[from.copy(to, N - 1)] = '\0';
}

result<int> run(const bpf_program *program)
{
	auto ran = run_program(bpf_program__fd(program), nullptr, 0);

	if (ran && *ran < 0)
		return fail("can't list the coroutines: {}", std::strerror(-*ran));
	return ran;
}

result<mapped_rows> map_rows(const coro_object &object)
{
	size_t bytes = object->rodata->rows_bytes;
	void *memory =
		::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(object->maps.rows), 0);

	if (memory == MAP_FAILED)
		return fail("can't map the list of coroutines: {}", std::strerror(errno));
	return mapped_rows(memory, bytes);
}

result<std::vector<kcoro_scope_info>> read_scopes(const coro_object &object, size_t count)
{
	std::vector<kcoro_scope_info> scopes(object->rodata->scopes_bytes /
					     sizeof(kcoro_scope_info));
	__u32 zero = 0;

	if (int err = bpf_map_lookup_elem(bpf_map__fd(object->maps.scopes), &zero, scopes.data());
	    err)
		return fail("can't read the scopes: {}", std::strerror(-err));
	scopes.resize(count);
	return scopes;
}

} // namespace

mapped_rows::~mapped_rows()
{
	if (memory_)
		::munmap(const_cast<void *>(memory_), bytes_);
}

result<coro_list> list_coros(const coro_filter &filter)
{
	size_t rows = filter.limit ? std::min<size_t>(filter.limit, most_rows) : 1024, scopes = 64;

	// Mostly once; again when there are more than was thought.
	for (;;) {
		auto object = load(rows, scopes);
		if (!object)
			return object.error();
		auto &query = (*object)->bss->query;
		copy_name(query.name, filter.name);
		copy_name(query.scope, filter.scope);
		auto listed = run((*object)->progs.coro_list);
		if (!listed)
			return listed.error();
		auto there = run((*object)->progs.scope_list);
		if (!there)
			return there.error();

		auto count = static_cast<size_t>(*there);
		bool enough = (filter.limit || query.matched <= rows || rows == most_rows) &&
			      (count <= scopes || scopes == most_scopes);
		if (!enough) {
			if (!filter.limit)
				rows = with_room(std::max<size_t>(rows, query.matched), most_rows);
			scopes = with_room(std::max(scopes, count), most_scopes);
			continue;
		}
		auto read = read_scopes(*object, std::min(count, scopes));
		if (!read)
			return read.error();
		auto memory = map_rows(*object);
		if (!memory)
			return memory.error();
		coro_list list{std::move(*read), memory->first(query.filled),
			       query.matched - query.filled, std::move(*memory)};
		return list;
	}
}

} // namespace kcoro
