/* SPDX-License-Identifier: GPL-2.0-only */
/* frame_pattern.bpf.h - what stress programs write into frames, and how they compare it. */
#ifndef KCORO_FRAME_PATTERN_BPF_H
#define KCORO_FRAME_PATTERN_BPF_H

/* Bytes of a frame that carry the pattern. */
#define PATTERN_SIZE 64
#define PATTERN_WORDS (PATTERN_SIZE / 8)
#define PATTERN_FREED 0xdeadfeeddeadfeedULL

static __always_inline __u64 mix(__u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/*
 * Is any word not zero? One value for all, which the verifier knows nothing about
 * from the first round on: so the loop converges.
 */
static __always_inline bool pattern_dirty(__u8 *data, int words)
{
	volatile __u64 *word = (volatile __u64 *)data;
	__u64 seen = word[0];
	int i;

	bpf_for(i, 0, words)
		seen |= word[i];
	return seen;
}

/* Word 0 is the tag, the others follow from it. */
static __always_inline void pattern_write(__u8 *data, __u64 tag)
{
	volatile __u64 *word = (volatile __u64 *)data;
	int i;

	for (i = 0; i < PATTERN_WORDS; i++)
		word[i] = tag + i * 0x9e3779b97f4a7c15ULL;
}

static __always_inline bool pattern_differs(__u8 *data, __u64 tag)
{
	volatile __u64 *word = (volatile __u64 *)data;
	__u64 seen = 0;
	int i;

	for (i = 0; i < PATTERN_WORDS; i++)
		seen |= word[i] ^ (tag + i * 0x9e3779b97f4a7c15ULL);
	return seen;
}

#endif /* KCORO_FRAME_PATTERN_BPF_H */
