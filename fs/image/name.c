/* SPDX-License-Identifier: MIT */
#include "fs/image/name.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static bool is_lower_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
	return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

/* path-component: [a-z0-9]+ runs, separated by '.', '_', '__' or any number of '-'. */
static bool component_is_valid(const char *text, size_t n)
{
	size_t i = 0;

	if (n == 0 || !is_lower_alphanumeric(text[0]) || !is_lower_alphanumeric(text[n - 1]))
		return false;
	while (i < n) {
		size_t start;

		while (i < n && is_lower_alphanumeric(text[i]))
			i++;
		start = i;
		while (i < n && !is_lower_alphanumeric(text[i]))
			i++;
		if (i == start)
			break;
		if (i - start == 1 && strchr("._-", text[start]))
			continue;
		if (i - start == 2 && text[start] == '_' && text[start + 1] == '_')
			continue;
		for (size_t j = start; j < i; j++) {
			if (text[j] != '-')
				return false;
		}
	}
	return true;
}

/* domain: host names joined by dots, or an IPv6 address in brackets, and an optional port. */
static bool domain_is_valid(const char *text, size_t n)
{
	size_t n_host = n;

	for (size_t i = n; i > 0 && text[i - 1] != ']'; i--) {
		if (text[i - 1] == ':') {
			n_host = i - 1;
			if (n_host + 1 == n)
				return false;
			for (size_t j = i; j < n; j++) {
				if (text[j] < '0' || text[j] > '9')
					return false;
			}
			break;
		}
	}
	if (n_host > 2 && text[0] == '[' && text[n_host - 1] == ']') {
		for (size_t i = 1; i < n_host - 1; i++) {
			if (!text[i] || !strchr("0123456789abcdefABCDEF:", text[i]))
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < n_host; i++) {
		bool edge = i == 0 || i == n_host - 1 || text[i - 1] == '.' || text[i + 1] == '.';

		if (is_alphanumeric(text[i]) || (!edge && (text[i] == '-' || text[i] == '.')))
			continue;
		return false;
	}
	return n_host > 0;
}

static bool tag_is_valid(const char *tag)
{
	size_t n = strlen(tag);

	if (n == 0 || n > IMAGE_TAG_MAX_BYTES || *tag == '.' || *tag == '-')
		return false;
	for (; *tag; tag++) {
		if (!is_alphanumeric(*tag) && !strchr("_.-", *tag))
			return false;
	}
	return true;
}

/* The first component is a registry's name where it looks like one (Docker's splitDockerDomain). */
static bool component_is_domain(const char *text, size_t n)
{
	if (n == strlen("localhost") && !memcmp(text, "localhost", n))
		return true;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '.' || text[i] == ':' || (text[i] >= 'A' && text[i] <= 'Z'))
			return true;
	}
	return false;
}

static int repository_check(const char *repository, const char *text, struct error *error)
{
	const char *rest = repository;
	const char *slash = strchr(rest, '/');

	if (strlen(repository) > IMAGE_REPOSITORY_MAX_BYTES)
		return error_say(error, -EINVAL, "bad image name '%.64s...': over %d bytes", text,
				 IMAGE_REPOSITORY_MAX_BYTES);
	if (slash && component_is_domain(rest, (size_t)(slash - rest))) {
		if (!domain_is_valid(rest, (size_t)(slash - rest)))
			return error_say(
				error, -EINVAL,
				"bad image name '%s': '%.*s' is not the name of a registry", text,
				(int)(slash - rest), rest);
		rest = slash + 1;
	}
	for (;; rest += 1) {
		size_t n = strcspn(rest, "/");

		if (!component_is_valid(rest, n))
			return error_say(error, -EINVAL,
					 "bad image name '%s': a name is lower-case letters and "
					 "digits, with '.', '_', '-' or '/' in between",
					 text);
		rest += n;
		if (!*rest)
			return 0;
	}
}

static const char *repository_shorten(const char *repository)
{
	static const char *const domains[] = { "docker.io/", "index.docker.io/" };
	const char *rest = NULL, *slash;

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]) && !rest; i++)
		rest = string_has_prefix(repository, domains[i]);
	rest = rest ? rest : repository;
	/* "docker.io/x.y/z" is not "x.y/z", which is in the registry x.y. */
	slash = strchr(rest, '/');
	if (slash && component_is_domain(rest, (size_t)(slash - rest)))
		return repository;
	repository = string_has_prefix(rest, "library/");
	return repository && *repository && !strchr(repository, '/') ? repository : rest;
}

int image_name_parse(const char *text, struct image_name *ret_name, struct error *error)
{
	char copy[IMAGE_NAME_BYTES + 64 + DIGEST_TEXT_BYTES];
	char *digest, *tag, *colon;
	const char *repository;
	int r;

	if (!*text)
		return error_say(error, -EINVAL, "an image's name can't be empty");
	if (strlen(text) >= sizeof(copy))
		return error_say(error, -EINVAL, "bad image name '%.64s...': too long", text);
	strcpy(copy, text);
	digest = strchr(copy, '@');
	if (digest)
		*digest++ = '\0';
	if (digest && !digest_is_valid(digest))
		return error_say(error, -EINVAL, "bad image name '%s': '%s' is not a sha256 digest",
				 text, digest);
	colon = strrchr(copy, ':');
	tag = colon && !strchr(colon, '/') ? colon + 1 : NULL;
	if (tag)
		*colon = '\0';
	if (tag && !tag_is_valid(tag))
		return error_say(error, -EINVAL,
				 "bad image name '%s': a tag is up to %d letters, digits, '_', '.' "
				 "or '-', and doesn't start with '.' or '-'",
				 text, IMAGE_TAG_MAX_BYTES);
	r = repository_check(copy, text, error);
	if (r < 0)
		return r;
	repository = repository_shorten(copy);
	/* As Docker: what looks like a digest is never a name. */
	if (digest_hex_is_valid(repository) || !strcmp(repository, "sha256"))
		return error_say(error, -EINVAL,
				 "bad image name '%s': that is a digest, not a name", text);
	strcpy(ret_name->name, repository);
	strcat(ret_name->name, ":");
	strcat(ret_name->name, tag ? tag : "latest");
	strcpy(ret_name->digest, digest ? digest : "");
	return 0;
}

int image_name_escape(const char *name, char ret_file_name[IMAGE_NAME_ESCAPED_BYTES])
{
	char escaped[IMAGE_NAME_ESCAPED_BYTES];
	size_t n = 0;

	for (; *name; name++) {
		const char *code = *name == '/' ? "%2F" : *name == '%' ? "%25" : NULL;
		size_t n_code = code ? 3 : 1;

		if (n + n_code >= sizeof(escaped))
			return -ENAMETOOLONG;
		memcpy(escaped + n, code ? code : name, n_code);
		n += n_code;
	}
	escaped[n] = '\0';
	memcpy(ret_file_name, escaped, n + 1);
	return 0;
}

bool image_name_unescape(const char *file_name, char ret_name[IMAGE_NAME_BYTES])
{
	size_t n = 0;

	/* Begins with a dot: "." and "..", and what is being made. */
	if (*file_name == '.')
		return false;
	while (*file_name) {
		char c = *file_name++;

		if (c == '%') {
			if (!strncmp(file_name, "2F", 2))
				c = '/';
			else if (!strncmp(file_name, "25", 2))
				c = '%';
			else
				return false;
			file_name += 2;
		}
		if (n + 1 >= IMAGE_NAME_BYTES)
			return false;
		ret_name[n++] = c;
	}
	ret_name[n] = '\0';
	return n > 0;
}
