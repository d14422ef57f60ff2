/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target is one function in tests/fuzz/NAME.c; its name is libFuzzer's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * LLVMFuzzerTestOneInput() - feed @n_bytes to the parser, and abort() where what it says of them
 * can't be true; returns 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);
