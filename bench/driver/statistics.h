/* SPDX-License-Identifier: MIT */
/*
 * What can be said of times that were measured in turn on a machine that is never quite still.
 */
#pragma once

#include <stddef.h>

/* 95 %, or what was asked for. */
struct interval {
	double low, high;
};

/** statistics_median() - of @n values, which are put into another order; 0 for none */
double statistics_median(double *values, size_t n);

/**
 * statistics_ratio() - how sure the ratio of two medians is: a bootstrap over the rounds
 * @values, @reference: the same @n rounds of both, in their order: what the machine did meanwhile
 * meets both, and is drawn together
 * @confidence: 0.95, say
 *
 * The same numbers give the same interval: what is drawn comes from a seed of its own.
 *
 * Return: the interval, percentiles of 1,000 draws; both 0 where there is no round, or no memory.
 */
struct interval statistics_ratio(const double *values, const double *reference, size_t n,
				 double confidence);

/**
 * statistics_pairs() - the median of the ratios of @n pairs, and its interval
 *
 * By order statistics (the binomial's normal approximation, from 6 pairs on), so nothing is
 * supposed of how times are distributed but that pairs don't know of each other.
 */
double statistics_pairs(const double *values, const double *reference, size_t n, double confidence,
			struct interval *ret_interval);
