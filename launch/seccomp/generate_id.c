/* SPDX-License-Identifier: MIT */
/*
 * Writes the compiler's id as C, on the machine that builds lamina: a hash of the files that are
 * named, which are all that a filter depends on beside its profile. Each build asks anew.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* FNV-1a; false where the file can't be read. */
static bool add_file(const char *path, uint64_t *id)
{
	FILE *file = fopen(path, "r");
	bool is_read;
	int c;

	if (!file)
		return false;
	while ((c = getc(file)) != EOF)
		*id = (*id ^ (uint64_t)c) * UINT64_C(0x100000001b3);
	is_read = !ferror(file);
	fclose(file);
	return is_read;
}

int main(int argc, char *argv[])
{
	uint64_t id = UINT64_C(0xcbf29ce484222325);

	for (int i = 1; i < argc; i++) {
		if (!add_file(argv[i], &id)) {
			perror(argv[i]);
			return 1;
		}
	}
	printf("#include \"launch/seccomp/cache.h\"\n\n"
	       "const uint64_t seccomp_compiler_id = UINT64_C(%#" PRIx64 ");\n",
	       id);
	return fflush(stdout) == 0 ? 0 : 1;
}
