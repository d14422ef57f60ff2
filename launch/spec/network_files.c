/* SPDX-License-Identifier: MIT */
#include "launch/spec/network_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "launch/spec/container.h"

#define FILE_MAX_BYTES (1024 * 1024)

static const char hosts_of_its_own[] = "127.0.0.1\tlocalhost\n"
				       "::1\tlocalhost ip6-localhost ip6-loopback\n"
				       "fe00::0\tip6-localnet\n"
				       "ff00::0\tip6-mcastprefix\n"
				       "ff02::1\tip6-allnodes\n"
				       "ff02::2\tip6-allrouters\n";

/* The address of a "nameserver ADDRESS" line, or NULL; @ret_n_bytes: its length. */
static const char *nameserver_address(const char *line, size_t n_line, size_t *ret_n_bytes)
{
	static const char word[] = "nameserver";
	const char *end = line + n_line, *p = line;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if ((size_t)(end - p) < sizeof(word) || strncmp(p, word, sizeof(word) - 1))
		return NULL;
	p += sizeof(word) - 1;
	if (*p != ' ' && *p != '\t')
		return NULL;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	*ret_n_bytes = 0;
	while (p + *ret_n_bytes < end && !strchr(" \t\r", p[*ret_n_bytes]))
		++*ret_n_bytes;
	return p;
}

void resolv_conf_filter(const char *text, struct buffer *ret_text)
{
	bool has_server = false;

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n"), n_address;
		const char *address = nameserver_address(line, n, &n_address);

		if (!address) {
			buffer_add(ret_text, line, n);
			buffer_add_char(ret_text, '\n');
		} else if (strncmp(address, "127.", 4) && !memchr(address, ':', n_address)) {
			buffer_add_string(ret_text, "nameserver ");
			buffer_add(ret_text, address, n_address);
			buffer_add_char(ret_text, '\n');
			has_server = true;
		}
		line += n + (line[n] == '\n');
	}
	if (!has_server)
		buffer_add_string(ret_text, "\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

/* The text of a file of the host; "" where there is none. */
static int host_file_read(const char *path, char **ret_text, struct error *error)
{
	int r = file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, ret_text, NULL);

	if (r == -ENOENT) {
		*ret_text = strdup("");
		r = *ret_text ? 0 : -ENOMEM;
	}
	return r < 0 ? error_set(error, r, "cannot read '%s'", path) : 0;
}

static int bundle_file_write(const struct spec_container *container, const char *name,
			     const char *text, size_t n_bytes, struct error *error)
{
	int r = file_put_at(container->bundle_fd, name, text, n_bytes, 0644);

	return r < 0 ? error_set(error, r, "cannot write '%s'", name) : 0;
}

static int resolv_conf_write(const struct spec_container *container, struct error *error)
{
	_cleanup_buffer_ struct buffer filtered = {};
	_cleanup_free_ char *text = NULL;
	int r = host_file_read("/etc/resolv.conf", &text, error);

	if (r < 0)
		return r;
	if (container->request->network.kind == SPEC_NETWORK_HOST)
		return bundle_file_write(container, "resolv.conf", text, strlen(text), error);
	resolv_conf_filter(text, &filtered);
	if (buffer_status(&filtered) < 0)
		return error_set(error, -ENOMEM, "cannot write 'resolv.conf'");
	return bundle_file_write(container, "resolv.conf", filtered.bytes, filtered.n_bytes, error);
}

static int hosts_write(const struct spec_container *container, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (container->request->network.kind != SPEC_NETWORK_HOST)
		return bundle_file_write(container, "hosts", hosts_of_its_own,
					 sizeof(hosts_of_its_own) - 1, error);
	r = host_file_read("/etc/hosts", &text, error);
	return r < 0 ? r : bundle_file_write(container, "hosts", text, strlen(text), error);
}

int network_files_write(const struct spec_container *container, struct error *error)
{
	char hostname[sizeof(container->hostname) + 1];
	size_t n = strlen(container->hostname);
	int r;

	memcpy(hostname, container->hostname, n);
	hostname[n] = '\n';
	r = bundle_file_write(container, "hostname", hostname, n + 1, error);
	if (r == 0)
		r = hosts_write(container, error);
	if (r == 0)
		r = resolv_conf_write(container, error);
	return r;
}
