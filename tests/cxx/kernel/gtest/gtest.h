// SPDX-License-Identifier: GPL-2.0-only
// gtest.h - GoogleTest's names, as far as the tests of the C++ library use them, inside the
// kernel. A test that fails says where in the kernel log, and is not ok; kcoro_test.ko reports
// it as any other case: see run.hpp, which finds the tests of a file by their numbers, because
// nobody calls constructors in a module.
#ifndef KCORO_TESTS_KERNEL_GTEST_H
#define KCORO_TESTS_KERNEL_GTEST_H

#include <cstddef>

extern "C" int _printk(const char *format, ...);

namespace testing {

struct test_info {
	const char *suite;
	const char *name;
	int params;
	void (*run)(int param);
};

template <int N> struct number {};

inline int failures;

// What is said beside a check; where and what is enough here.
struct message {
	template <typename T> message &operator<<(const T &) noexcept { return *this; }
};

struct failure {
	const char *file;
	int line;
	const char *what;

	void operator=(const message &) const noexcept
	{
		failures++;
		_printk("\0013kcoro_test: %s:%d: %s\n", file, line, what);
	}
};

template <typename A, typename B> bool same(const A &a, const B &b)
{
	return a == b;
}

class Test {
public:
	virtual void SetUp() {}
	virtual void TearDown() {}
	virtual void TestBody() {}

protected:
	/* Not virtual: there is no delete in the kernel, and none is needed. */
	~Test() = default;
};

template <typename T> class WithParamInterface {
public:
	static const T &GetParam() { return *param; }
	static inline const T *param;
};

template <typename T, std::size_t N> struct values {
	T at[N];
};

template <typename T, typename... Rest>
constexpr values<T, 1 + sizeof...(Rest)> Values(T v, Rest... r)
{
	return {{v, r...}};
}

template <typename... T> struct Types {
	static constexpr int count = sizeof...(T);
};

template <typename T> void run_test()
{
	T body;
	Test &test = body;

	test.SetUp();
	test.TestBody();
	test.TearDown();
}

// The i-th of these types.
template <template <typename> class Body, typename... T> void run_typed_test(int i, Types<T...>)
{
	((i-- ? void() : run_test<Body<T>>()), ...);
}

} // namespace testing

#define KCORO_TEST_CLASS(suite, name, base)  \
	class suite##_##name : public base { \
	public:                              \
		void TestBody() override;    \
	};

#define KCORO_TEST_AT(suite, name, params, run)                                                \
	[[maybe_unused]] static testing::test_info kcoro_test_at(testing::number<__COUNTER__>) \
	{                                                                                      \
		return {#suite, #name, params, run};                                           \
	}

#define TEST_F(suite, name)                                                             \
	KCORO_TEST_CLASS(suite, name, suite)                                            \
	KCORO_TEST_AT(suite, name, 1, [](int) { testing::run_test<suite##_##name>(); }) \
	void suite##_##name::TestBody()

#define TEST(suite, name)                                                               \
	KCORO_TEST_CLASS(suite, name, testing::Test)                                    \
	KCORO_TEST_AT(suite, name, 1, [](int) { testing::run_test<suite##_##name>(); }) \
	void suite##_##name::TestBody()

#define INSTANTIATE_TEST_SUITE_P(prefix, suite, list)        \
	[[maybe_unused]] static const auto &suite##_values() \
	{                                                    \
		static constexpr auto all = list;            \
		return all;                                  \
	}

#define TEST_P(suite, name)                                                                      \
	KCORO_TEST_CLASS(suite, name, suite)                                                     \
	KCORO_TEST_AT(suite, name, sizeof(suite##_values().at) / sizeof(suite##_values().at[0]), \
		      [](int i) {                                                                \
			      suite::param = &suite##_values().at[i];                            \
			      testing::run_test<suite##_##name>();                               \
		      })                                                                         \
	void suite##_##name::TestBody()

#define TYPED_TEST_SUITE(suite, types) using suite##_types = types

#define TYPED_TEST(suite, name)                                                                   \
	template <typename TypeParam> class suite##_##name : public suite<TypeParam> {            \
	public:                                                                                   \
		void TestBody() override;                                                         \
	};                                                                                        \
	KCORO_TEST_AT(suite, name, suite##_types::count,                                          \
		      [](int i) { testing::run_typed_test<suite##_##name>(i, suite##_types()); }) \
	template <typename TypeParam> void suite##_##name<TypeParam>::TestBody()

// A declaration in the condition: what is checked may await.
#define KCORO_CHECK(good, what, fails)                  \
	if (const bool kcoro_good = (good); kcoro_good) \
		;                                       \
	else                                            \
		fails testing::failure{__FILE__, __LINE__, what} = testing::message()

#define EXPECT_TRUE(a) KCORO_CHECK(static_cast<bool>(a), #a, )
#define EXPECT_FALSE(a) KCORO_CHECK(!static_cast<bool>(a), "not " #a, )
#define EXPECT_EQ(a, b) KCORO_CHECK(testing::same(a, b), #a " == " #b, )
#define EXPECT_NE(a, b) KCORO_CHECK(!testing::same(a, b), #a " != " #b, )
#define EXPECT_LE(a, b) KCORO_CHECK((a) <= (b), #a " <= " #b, )
#define EXPECT_LT(a, b) KCORO_CHECK((a) < (b), #a " < " #b, )
#define EXPECT_GE(a, b) KCORO_CHECK((a) >= (b), #a " >= " #b, )
#define EXPECT_GT(a, b) KCORO_CHECK((a) > (b), #a " > " #b, )
#define ASSERT_TRUE(a) KCORO_CHECK(static_cast<bool>(a), #a, return)
#define ASSERT_EQ(a, b) KCORO_CHECK(testing::same(a, b), #a " == " #b, return)
#define ASSERT_LT(a, b) KCORO_CHECK((a) < (b), #a " < " #b, return)

#endif
