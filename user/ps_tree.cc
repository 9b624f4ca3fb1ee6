// SPDX-License-Identifier: GPL-2.0-only
// ps_tree.cc - see ps_tree.h.
#include "user/ps_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace kcoro {

namespace {

constexpr size_t none = SIZE_MAX;

// A chain may be longer than our stack: no function here calls itself.
class tree {
public:
	explicit tree(std::span<const kcoro_coro_info> coros) : coros_(coros) {}

	std::vector<ps_line> build()
	{
		auto order = ps_sorted(coros_);

		link(order);
		seen_.assign(coros_.size(), false);
		for (const auto &line : order)
			if (parent_[line.index] == none)
				descend(line.index);
		// What is left awaits itself, round about.
		for (const auto &line : order)
			if (!seen_[line.index])
				descend(line.index);
		return std::move(lines_);
	}

private:
	void link(const std::vector<ps_line> &order)
	{
		std::unordered_map<__u32, size_t> by_id;

		for (const auto &line : order)
			by_id.emplace(coros_[line.index].id, line.index);
		parent_.assign(coros_.size(), none);
		children_.resize(coros_.size());
		for (const auto &line : order) {
			auto found = by_id.find(coros_[line.index].parent);

			if (coros_[line.index].parent == 0 || found == by_id.end())
				continue;
			parent_[line.index] = found->second;
			children_[found->second].push_back(line.index);
		}
	}

	void descend(size_t root)
	{
		std::vector<ps_line> todo{{root, 0, 0}};

		seen_[root] = true;
		while (!todo.empty()) {
			auto line = todo.back();
			bool last = true;

			todo.pop_back();
			lines_.push_back(line);
			const auto &below = children_[line.index];
			// The last one first: what is pushed last comes first.
			for (auto child = below.rbegin(); child != below.rend(); ++child) {
				auto branches = line.branches;

				if (seen_[*child])
					continue;
				seen_[*child] = true;
				if (!last && line.depth < 64)
					branches |= uint64_t{1} << line.depth;
				todo.push_back({*child, line.depth + 1, branches});
				last = false;
			}
		}
	}

	std::span<const kcoro_coro_info> coros_;
	std::vector<size_t> parent_;
	std::vector<std::vector<size_t>> children_;
	std::vector<bool> seen_;
	std::vector<ps_line> lines_;
};

} // namespace

std::vector<ps_line> ps_sorted(std::span<const kcoro_coro_info> coros)
{
	std::vector<ps_line> lines;

	lines.reserve(coros.size());
	for (size_t i = 0; i < coros.size(); i++)
		lines.push_back({i, 0, 0});
	std::sort(lines.begin(), lines.end(), [&](const auto &a, const auto &b) {
		const auto &left = coros[a.index], &right = coros[b.index];

		return left.scope_id != right.scope_id ? left.scope_id < right.scope_id
						       : left.id < right.id;
	});
	return lines;
}

std::vector<ps_line> ps_tree(std::span<const kcoro_coro_info> coros)
{
	return tree(coros).build();
}

namespace {

bool too_deep(const ps_line &line, size_t width)
{
	return line.depth > 64 || size_t{line.depth} * 4 > width;
}

std::string branches(const ps_line &line, unsigned depth)
{
	std::string text;

	for (unsigned d = 1; d <= depth; d++)
		text += line.branches >> (d - 1) & 1 ? " |  " : "    ";
	return text;
}

} // namespace

std::string ps_branch(const ps_line &line, size_t width)
{
	if (line.depth == 0)
		return {};
	if (too_deep(line, width))
		return fmt::format("({}) \\_ ", line.depth);
	return branches(line, line.depth - 1) + " \\_ ";
}

std::string ps_indent(const ps_line &line, size_t width)
{
	return too_deep(line, width) ? std::string() : branches(line, line.depth);
}

} // namespace kcoro
