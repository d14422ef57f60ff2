/* SPDX-License-Identifier: MIT */
#include "bench/shim/benchmark.h"

#include <benchmark/benchmark.h>

static benchmark::State *unwrap(benchmark_state *state)
{
	return reinterpret_cast<benchmark::State *>(state);
}

bool benchmark_keep_running(benchmark_state *state)
{
	return unwrap(state)->KeepRunning();
}

void benchmark_pause(benchmark_state *state)
{
	unwrap(state)->PauseTiming();
}

void benchmark_resume(benchmark_state *state)
{
	unwrap(state)->ResumeTiming();
}

void benchmark_set_iteration_ns(benchmark_state *state, uint64_t ns)
{
	unwrap(state)->SetIterationTime(static_cast<double>(ns) / 1e9);
}

void benchmark_set_items(benchmark_state *state, uint64_t n_items)
{
	unwrap(state)->SetItemsProcessed(unwrap(state)->iterations() *
					 static_cast<int64_t>(n_items));
}

void benchmark_set_bytes(benchmark_state *state, uint64_t n_bytes)
{
	unwrap(state)->SetBytesProcessed(unwrap(state)->iterations() *
					 static_cast<int64_t>(n_bytes));
}

void benchmark_set_label(benchmark_state *state, const char *label)
{
	unwrap(state)->SetLabel(label);
}

void benchmark_set_counter(benchmark_state *state, const char *name, double value)
{
	unwrap(state)->counters[name] = value;
}

void benchmark_skip(benchmark_state *state, const char *reason)
{
	unwrap(state)->SkipWithError(reason);
}

static void register_one(const struct benchmark_case *entry)
{
	auto *registered =
		benchmark::RegisterBenchmark(entry->name, [entry](benchmark::State &state) {
			entry->function(reinterpret_cast<benchmark_state *>(&state),
					entry->argument);
		});

	registered->Unit(benchmark::kMicrosecond);
	if (entry->n_iterations)
		registered->Iterations(entry->n_iterations);
	if (entry->has_manual_time)
		registered->UseManualTime();
	else
		registered->UseRealTime();
}

int benchmark_main(const struct benchmark_case *cases, size_t n_cases, int argc, char *argv[])
{
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	for (size_t i = 0; i < n_cases; i++)
		register_one(&cases[i]);
	benchmark::RunSpecifiedBenchmarks();
	benchmark::Shutdown();
	return 0;
}
