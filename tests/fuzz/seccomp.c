/* SPDX-License-Identifier: MIT */
/* Whatever profile is taken, the kernel must take its filter; Docker's form stays one when
 * resolved. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "launch/seccomp/compile.h"
#include "launch/spec/seccomp_option.h"
#include "tests/unit/bpf.h"

static void filter_run(const struct seccomp_filter *filter)
{
	if (!bpf_check(filter->program.filter, filter->program.len))
		abort();
	for (uint32_t number = 0; number < 512; number++) {
		for (enum seccomp_arch_index arch = 0; arch < SECCOMP_ARCH_ARM; arch++) {
			struct bpf_call call = {
				.number = number + seccomp_arches[arch].first_number,
				.audit = seccomp_arches[arch].audit,
				.arguments = { number, UINT64_MAX, UINT64_C(1) << 32, 1, 0, 5 },
			};

			(void)bpf_run(filter->program.filter, &call, NULL);
		}
	}
}

static void profile_try(struct json_value section)
{
	_cleanup_seccomp_profile_ struct seccomp_profile profile = {};
	_cleanup_seccomp_filter_ struct seccomp_filter filter = {};
	struct error error;
	int r;

	error_init(&error);
	r = seccomp_profile_parse(section, &profile, &error);
	if (r >= 0)
		r = seccomp_profile_compile(&profile, SECCOMP_ARCH_X86_64, &filter, &error);
	if (r >= 0)
		filter_run(&filter);
	else if (!error.message[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_json_ struct json_document document = {}, resolved = {};
	_cleanup_json_writer_ struct json_writer writer = {};

	if (json_parse(&document, (const char *)bytes, n_bytes, NULL) < 0)
		return 0;
	profile_try(json_root(&document));
	if (seccomp_option_write((const char *)bytes, n_bytes, UINT64_C(1) << 18, &writer, NULL) <
	    0)
		return 0;
	if (json_parse(&resolved, writer.buffer.bytes, writer.buffer.n_bytes, NULL) < 0)
		abort();
	profile_try(json_root(&resolved));
	return 0;
}
