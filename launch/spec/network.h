/* SPDX-License-Identifier: MIT */
/*
 * --network: which network namespace a container gets, and who connects it.
 */
#pragma once

#include "base/error.h"
#include "base/json_write.h"

enum spec_network_kind {
	SPEC_NETWORK_NONE, /* one of its own, with a loopback alone */
	SPEC_NETWORK_HOST,
	SPEC_NETWORK_PATH,  /* one that is there: "ns:PATH", podman's word */
	SPEC_NETWORK_PASTA, /* one of its own that pasta(1) connects: "pasta[:OPTION,...]" */
};

/* All zero: none. */
struct spec_network {
	enum spec_network_kind kind;
	const char *path;    /* of the namespace; borrowed */
	const char *options; /* pasta's, separated by commas, or NULL; borrowed */
	char *hook;	     /* path of lamina-pasta; owned */
};

/**
 * spec_network_parse() - what @text, the option's value, asks for
 * @text: NULL counts as none
 *
 * Return: 0 or a negative errno; wrong usage is marked so in @error.
 */
int spec_network_parse(const char *text, struct spec_network *ret_network, struct error *error);

void spec_network_deinit(struct spec_network *network);

/** spec_network_name() - the word for it, as Docker's NetworkMode */
const char *spec_network_name(const struct spec_network *network);

/** spec_network_hooks_write() - "hooks", where there are any */
void spec_network_hooks_write(const struct spec_network *network, struct json_writer *writer);
