/* SPDX-License-Identifier: MIT */
#include "fs/layer/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/trace.h"
#include "fs/archive/decompress.h"

/* The layer's root as Docker makes it, whatever the staging directory hands down. */
static int diff_make(int directory_fd, struct error *error)
{
	_cleanup_close_ int fd = -EBADF;

	if (mkdirat(directory_fd, "diff", 0755) < 0)
		return error_set(error, -errno, "cannot make the layer's directory");
	fd = openat(directory_fd, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot open the layer's directory");
	fremovexattr(fd, "system.posix_acl_default");
	fremovexattr(fd, "system.posix_acl_access");
	if (fchmod(fd, 0755) < 0)
		return error_set(error, -errno, "cannot make the layer's directory");
	return take_fd(&fd);
}

/* Applies the layer, then reads on to the end of the tar, and of the blob, for their digests. */
static int streams_read(int diff_fd, struct digested_bytes *blob, struct unpacked_layer *layer,
			struct layer_report *report, struct error *error)
{
	_cleanup_decompressed_bytes_ struct decompressed_bytes plain = {};
	_cleanup_digested_bytes_ struct digested_bytes tar = {};
	int r = decompressed_bytes_init(&plain, &blob->stream, error);

	if (r < 0)
		return r;
	if (digested_bytes_init(&tar, &plain.stream, UINT64_MAX) < 0)
		return error_set(error, -ENOMEM, "cannot unpack");
	r = layer_apply(diff_fd, &tar.stream, report, error);
	if (r == 0)
		r = byte_stream_drain(&tar.stream, error);
	if (r == 0)
		r = byte_stream_drain(&blob->stream, error);
	if (r < 0)
		return r;
	digest_stream_finish(tar.digest, layer->facts.diff_id);
	layer->facts.n_tar_bytes = tar.n_bytes;
	layer->facts.n_content_bytes = report->n_bytes;
	layer->facts.opaque_root = report->opaque_root;
	layer->compression = decompressed_bytes_compression(&plain);
	return 0;
}

int layer_verify(const struct unpacked_layer *layer, const char *digest, uint64_t n_bytes,
		 const char *diff_id, struct error *error)
{
	if (n_bytes != UINT64_MAX && layer->n_bytes != n_bytes)
		return error_say(error, -EBADMSG, "it has %llu bytes instead of %llu",
				 (unsigned long long)layer->n_bytes, (unsigned long long)n_bytes);
	if (digest && strcmp(layer->digest, digest))
		return error_say(error, -EBADMSG, "its content has the digest %s", layer->digest);
	if (diff_id && strcmp(layer->facts.diff_id, diff_id))
		return error_say(error, -EBADMSG, "unpacked, its diff id is %s instead of %s",
				 layer->facts.diff_id, diff_id);
	return 0;
}

int layer_unpack(int staging_fd, const char *name, struct byte_stream *blob, const char *digest,
		 uint64_t n_bytes, const char *diff_id, struct unpacked_layer *ret_layer,
		 struct layer_report *report, struct error *error)
{
	TRACE_PHASE("layer.unpack");
	_cleanup_digested_bytes_ struct digested_bytes digested = {};
	_cleanup_close_ int directory_fd = -EBADF, diff_fd = -EBADF;
	struct unpacked_layer layer = {};
	int r;

	if (snprintf(layer.name, sizeof(layer.name), "%s", name) >= (int)sizeof(layer.name))
		return error_set(error, -ENAMETOOLONG, "cannot stage '%s'", name);
	if (mkdirat(staging_fd, name, 0700) < 0)
		return error_set(error, -errno, "cannot make the layer's directory");
	directory_fd = openat(staging_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return error_set(error, -errno, "cannot open the layer's directory");
	diff_fd = diff_make(directory_fd, error);
	if (diff_fd < 0)
		return diff_fd;
	if (digested_bytes_init(&digested, blob, n_bytes) < 0)
		return error_set(error, -ENOMEM, "cannot unpack");
	r = streams_read(diff_fd, &digested, &layer, report, error);
	if (r < 0)
		return r;
	digest_stream_finish(digested.digest, layer.digest);
	layer.n_bytes = digested.n_bytes;
	r = layer_verify(&layer, digest, n_bytes, diff_id, error);
	if (r < 0)
		return r;
	r = layer_facts_write(directory_fd, &layer.facts);
	if (r < 0)
		return error_set(error, r, "cannot write 'layer.json'");
	*ret_layer = layer;
	return 0;
}
