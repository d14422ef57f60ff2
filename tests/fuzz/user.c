/* SPDX-License-Identifier: MIT */
/* An image's passwd and group are anything; nobody becomes 4294967295. The first line is the user.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "launch/spec/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	_cleanup_spec_user_ struct spec_user user = {};
	_cleanup_free_ char *text = strndup((const char *)bytes, n_bytes);
	struct string_list none = {};
	char *passwd, *group;

	if (!text)
		return 0;
	passwd = strchr(text, '\n');
	if (passwd)
		*passwd++ = '\0';
	group = passwd ? strstr(passwd, "\n\n") : NULL;
	if (group) {
		group[1] = '\0';
		group += 2;
	}
	if (user_resolve(text, &none, passwd, group, &user, NULL) < 0)
		return 0;
	if (user.uid == UINT32_MAX || user.gid == UINT32_MAX || user.n_groups == 0 ||
	    user.groups[0] != user.gid)
		abort();
	return 0;
}
