/* SPDX-License-Identifier: MIT */
#include "fs/image/facts.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/text.h"

#define FACTS_MAX_BYTES 4096

int layer_facts_write(int layer_fd, const struct layer_facts *facts)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "diff_id", facts->diff_id);
	json_write_uint(&writer, "tar_bytes", facts->n_tar_bytes);
	json_write_uint(&writer, "content_bytes", facts->n_content_bytes);
	json_write_bool(&writer, "opaque_root", facts->opaque_root);
	json_write_object_end(&writer);
	buffer_add_char(&writer.buffer, '\n');
	r = json_writer_status(&writer);
	return r < 0 ? r
		     : file_write_at(layer_fd, "layer.json", writer.buffer.bytes,
				     writer.buffer.n_bytes, 0600);
}

int layer_facts_read(int directory_fd, const char *directory, struct layer_facts *ret_facts)
{
	_cleanup_free_ char *path = string_format("%s/layer.json", directory);
	_cleanup_json_ struct json_document document = {};
	struct layer_facts facts = {};
	struct json_value root;
	const char *diff_id;
	int r = path ? json_parse_file_at(&document, directory_fd, path, FACTS_MAX_BYTES, NULL)
		     : -ENOMEM;

	if (r < 0)
		return r;
	root = json_root(&document);
	diff_id = json_string(json_get(root, "diff_id"));
	if (!diff_id || !digest_is_valid(diff_id) ||
	    json_uint64(json_get(root, "tar_bytes"), &facts.n_tar_bytes) < 0 ||
	    json_uint64(json_get(root, "content_bytes"), &facts.n_content_bytes) < 0)
		return -EUCLEAN;
	memcpy(facts.diff_id, diff_id, DIGEST_TEXT_BYTES);
	facts.opaque_root = json_bool_or(json_get(root, "opaque_root"), false);
	*ret_facts = facts;
	return 0;
}
