/* SPDX-License-Identifier: MIT */
#include "launch/spec/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "launch/spec/program.h"

/* pasta says within milliseconds whether it can; a hook that hangs would hang the start. */
#define PASTA_TIMEOUT_S 10

static int path_parse(const char *path, struct spec_network *network, struct error *error)
{
	if (*path != '/')
		return error_usage(error, "'--network ns:%s': not an absolute path", path);
	network->kind = SPEC_NETWORK_PATH;
	network->path = path;
	return 0;
}

static int pasta_parse(const char *rest, struct spec_network *network, struct error *error)
{
	if (*rest && *rest != ':')
		return error_usage(error, "'--network pasta%s': options follow a ':'", rest);
	network->kind = SPEC_NETWORK_PASTA;
	network->options = *rest ? rest + 1 : NULL;
	return spec_program_find("lamina-pasta", "--network pasta", &network->hook, error);
}

int spec_network_parse(const char *text, struct spec_network *ret_network, struct error *error)
{
	struct spec_network network = {};
	const char *rest;
	int r = 0;

	if (!text || !strcmp(text, "none"))
		network.kind = SPEC_NETWORK_NONE;
	else if (!strcmp(text, "host"))
		network.kind = SPEC_NETWORK_HOST;
	else if ((rest = string_has_prefix(text, "ns:")))
		r = path_parse(rest, &network, error);
	else if ((rest = string_has_prefix(text, "pasta")))
		r = pasta_parse(rest, &network, error);
	else
		r = error_usage(error,
				"'--network %s': there is only none, host, ns:PATH and "
				"pasta[:OPTION,...]",
				text);
	if (r == 0)
		*ret_network = network;
	return r;
}

void spec_network_deinit(struct spec_network *network)
{
	free(network->hook);
	*network = (struct spec_network){};
}

const char *spec_network_name(const struct spec_network *network)
{
	static const char *const names[] = {
		[SPEC_NETWORK_NONE] = "none",
		[SPEC_NETWORK_HOST] = "host",
		[SPEC_NETWORK_PATH] = "ns",
		[SPEC_NETWORK_PASTA] = "pasta",
	};

	return names[network->kind];
}

void spec_network_hooks_write(const struct spec_network *network, struct json_writer *writer)
{
	const char *option = network->options;

	if (network->kind != SPEC_NETWORK_PASTA)
		return;
	json_write_object_begin(writer, "hooks");
	json_write_array_begin(writer, "createRuntime");
	json_write_object_begin(writer, NULL);
	json_write_string(writer, "path", network->hook);
	json_write_array_begin(writer, "args");
	json_write_string(writer, NULL, "lamina-pasta");
	while (option && *option) {
		size_t n = strcspn(option, ",");
		_cleanup_free_ char *one = strndup(option, n);

		writer->buffer.failed |= !one;
		json_write_string(writer, NULL, one);
		option += n + (option[n] == ',');
	}
	json_write_array_end(writer);
	/* A hook has the variables that are named here and no other. */
	json_write_array_begin(writer, "env");
	json_write_string(writer, NULL,
			  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	json_write_array_end(writer);
	json_write_uint(writer, "timeout", PASTA_TIMEOUT_S);
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}
