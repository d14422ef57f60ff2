/* SPDX-License-Identifier: MIT */
#include "tools/trace/render.h"

#include <string.h>

static const struct format formats[] = {
	{ "text", "txt", render_text },	   { "json", NULL, render_json },
	{ "svg", NULL, render_svg },	   { "mermaid", "mmd", render_mermaid },
	{ "folded", NULL, render_folded }, { "otlp", NULL, render_otlp },
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (!strcmp(formats[i].name, name) ||
		    (formats[i].other_extension && !strcmp(formats[i].other_extension, name)))
			return &formats[i];
	return NULL;
}

const struct format *format_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	const struct format *format = dot ? format_find(dot + 1) : NULL;

	return format ? format : &formats[0];
}

const char *group_title(const struct view *view, const struct group *group)
{
	if (group->id[0])
		return "container ";
	return view->timeline->n_groups > 1 ? "of all containers" : "no container";
}

int name_print(FILE *file, const char *name, int n_max)
{
	int n = 0;

	for (; *name && n < n_max; name++, n++)
		fputc((unsigned char)*name < ' ' || (unsigned char)*name > '~' ? '?' : *name, file);
	return n;
}

void us_print(FILE *file, int width, int decimals, uint64_t ns)
{
	uint64_t unit = decimals == 1 ? 100 : 1, rounded = (ns + unit / 2) / unit;
	uint64_t scale = decimals == 1 ? 10 : 1000;
	int n_behind = decimals + 1;

	fprintf(file, "%*" PRIu64 ".%0*" PRIu64, width > n_behind ? width - n_behind : 0,
		rounded / scale, decimals, rounded % scale);
}
