/* SPDX-License-Identifier: MIT */
/*
 * Writes the default profile and its filter as C, on the machine that builds lamina: for the
 * architecture named by the only argument, which is the one that lamina is built for.
 */
#include <stdio.h>

#include "launch/seccomp/compile.h"
#include "launch/seccomp/default_profile.h"

static int compile_text(const struct buffer *text, enum seccomp_arch_index arch,
			struct seccomp_filter *ret_filter, struct error *error)
{
	_cleanup_seccomp_profile_ struct seccomp_profile profile = {};
	_cleanup_json_ struct json_document document = {};
	int r = json_parse(&document, text->bytes, text->n_bytes, error);

	if (r >= 0)
		r = seccomp_profile_parse(json_root(&document), &profile, error);
	if (r >= 0)
		r = seccomp_profile_compile(&profile, arch, ret_filter, error);
	return r;
}

static void print_text(const struct buffer *text)
{
	printf("const char seccomp_prebuilt_text[] =\n\t\"");
	for (size_t i = 0; i < text->n_bytes; i++) {
		if (text->bytes[i] == '"' || text->bytes[i] == '\\')
			putchar('\\');
		putchar(text->bytes[i]);
		if (i % 90 == 89)
			printf("\"\n\t\"");
	}
	printf("\";\n\nconst size_t seccomp_prebuilt_n_bytes = %zu;\n\n", text->n_bytes);
}

static void print_program(const struct sock_fprog *program)
{
	printf("static const struct sock_filter instructions[] = {\n");
	for (unsigned int i = 0; i < program->len; i++)
		printf("\t{ 0x%x, %u, %u, 0x%x },\n", program->filter[i].code,
		       program->filter[i].jt, program->filter[i].jf, program->filter[i].k);
	if (program->len == 0)
		printf("\t{ 0, 0, 0, 0 },\n");
	printf("};\n\n/* The kernel only reads it. */\n"
	       "const struct sock_fprog seccomp_prebuilt_program = {\n"
	       "\t.len = %u,\n\t.filter = (struct sock_filter *)instructions,\n};\n",
	       program->len);
}

int main(int argc, char *argv[])
{
	enum seccomp_arch_index arch = seccomp_arch_find(argc == 2 ? argv[1] : "");
	_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
	_cleanup_json_writer_ struct json_writer writer = {};
	struct error error;

	error_init(&error);
	if (arch < SECCOMP_N_ARCHES) {
		seccomp_default_format(&writer, NULL, SECCOMP_DEFAULT_CAPABILITIES, arch);
		if (json_writer_status(&writer) < 0 ||
		    compile_text(&writer.buffer, arch, &filter, &error) < 0) {
			fprintf(stderr, "cannot compile the default profile: %s\n", error.message);
			return 1;
		}
	}
	printf("/* Made by generate_default.c: %u instructions. */\n"
	       "#include \"launch/seccomp/default_profile.h\"\n\n"
	       "const enum seccomp_arch_index seccomp_prebuilt_arch = %d;\n\n",
	       filter.program.len, arch);
	print_text(&writer.buffer);
	print_program(&filter.program);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
