/* SPDX-License-Identifier: MIT */
/*
 * Chain ids: what a layer on top of its parents is called (OCI image spec 1.1, config.md, "Layer
 * ChainID"): of the lowest layer its diff id, of every other sha256("CHAIN-ID-BELOW DIFF-ID").
 */
#pragma once

#include "base/digest.h"

/**
 * chain_id_next() - the chain id of a layer
 * @chain_id: in: of the layers below, "" where there are none; out: with this layer
 */
void chain_id_next(char chain_id[DIGEST_TEXT_BYTES], const char *diff_id);
