/* SPDX-License-Identifier: MIT */
/*
 * Writes the table of system call names and numbers (see arch.h) as C, on the machine that builds
 * lamina: what libseccomp knows, by asking it for the name of each number, and newer.h.
 */
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch/seccomp/arch.h"
#include "launch/seccomp/newer.h"

#define MAX_NAMES 2048

struct entry {
	char *name;
	uint16_t numbers[SECCOMP_N_ARCHES];
};

struct table {
	struct entry entries[MAX_NAMES];
	size_t n_entries;
};

static struct entry *table_entry(struct table *table, const char *name)
{
	struct entry *entry;

	for (size_t i = 0; i < table->n_entries; i++) {
		if (strcmp(table->entries[i].name, name) == 0)
			return &table->entries[i];
	}
	if (table->n_entries == MAX_NAMES)
		abort();
	entry = &table->entries[table->n_entries++];
	entry->name = strdup(name);
	if (!entry->name)
		abort();
	memset(entry->numbers, 0xff, sizeof(entry->numbers));
	return entry;
}

static void table_add(struct table *table, enum seccomp_arch_index arch, uint32_t token,
		      uint16_t number)
{
	uint32_t asked = seccomp_number_expand(number, arch);
	char *name = seccomp_syscall_resolve_num_arch(token, (int)asked);
	int resolved;

	if (!name)
		return;
	/*
	 * x32 has two numbers of some names, its own (512 and on) and x86_64's, which the kernel
	 * refuses; the name's number is the one that works. A negative one is libseccomp's sign
	 * for calls that go through socketcall(2) or ipc(2) too.
	 */
	resolved = seccomp_syscall_resolve_name_arch(token, name);
	if (resolved < 0 || (uint32_t)resolved == asked)
		table_entry(table, name)->numbers[arch] = number;
	free(name);
}

/* libseccomp's own name of an architecture is the OCI's in lower case, without the prefix. */
static uint32_t arch_token(enum seccomp_arch_index arch)
{
	const char *name = seccomp_arches[arch].name + strlen("SCMP_ARCH_");
	char lower[32] = "";

	for (size_t i = 0; name[i] && i + 1 < sizeof(lower); i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	return seccomp_arch_resolve_name(lower);
}

/* A number can have two names (ARM's 341), of which it gives the one: ask for each name too. */
static void table_add_aliases(struct table *table, enum seccomp_arch_index arch, uint32_t token)
{
	for (size_t i = 0; i < table->n_entries; i++) {
		struct entry *entry = &table->entries[i];
		int resolved = seccomp_syscall_resolve_name_arch(token, entry->name);

		for (uint16_t number = 0; resolved >= 0 && number < SECCOMP_N_NUMBERS; number++) {
			if (seccomp_number_expand(number, arch) == (uint32_t)resolved)
				entry->numbers[arch] = number;
		}
	}
}

static void table_fill(struct table *table)
{
	for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
		uint32_t token = arch_token(arch);

		if (token == 0) {
			fprintf(stderr, "libseccomp has no architecture '%s'\n",
				seccomp_arches[arch].name);
			exit(1);
		}
		for (uint16_t number = 0; number < SECCOMP_N_NUMBERS; number++)
			table_add(table, arch, token, number);
	}
	for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++)
		table_add_aliases(table, arch, arch_token(arch));
	for (size_t i = 0; i < sizeof(newer_syscalls) / sizeof(newer_syscalls[0]); i++) {
		size_t n_known = table->n_entries;
		struct entry *entry = table_entry(table, newer_syscalls[i].name);

		if (table->n_entries == n_known)
			continue; /* this libseccomp is new enough */
		for (enum seccomp_arch_index arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
			if (newer_syscalls[i].only == SECCOMP_N_ARCHES ||
			    newer_syscalls[i].only == arch)
				entry->numbers[arch] = newer_syscalls[i].number;
		}
	}
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void table_print(const struct table *table)
{
	size_t offset = 0;

	printf("/* Made by generate_table.c with libseccomp %u.%u.%u. */\n"
	       "#include \"launch/seccomp/arch.h\"\n\nconst char seccomp_table_names[] =\n",
	       seccomp_version()->major, seccomp_version()->minor, seccomp_version()->micro);
	for (size_t i = 0; i < table->n_entries; i++)
		printf("\t\"%s\\0\"\n", table->entries[i].name);
	printf(";\n\nconst uint16_t seccomp_table_n_names = %zu;\n\n"
	       "const uint16_t seccomp_table_offsets[] = {\n",
	       table->n_entries);
	for (size_t i = 0; i < table->n_entries; i++) {
		printf("\t%zu,\n", offset);
		offset += strlen(table->entries[i].name) + 1;
	}
	printf("};\n\nconst uint16_t seccomp_table_numbers[] = {\n");
	for (int arch = 0; arch < SECCOMP_N_ARCHES; arch++) {
		printf("\t/* %s */\n", seccomp_arches[arch].name);
		for (size_t i = 0; i < table->n_entries; i++)
			printf("\t%u,\n", table->entries[i].numbers[arch]);
	}
	printf("};\n");
}

int main(void)
{
	static struct table table;

	table_fill(&table);
	qsort(table.entries, table.n_entries, sizeof(table.entries[0]), compare_entries);
	table_print(&table);
	for (size_t i = 0; i < table.n_entries; i++)
		free(table.entries[i].name);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
