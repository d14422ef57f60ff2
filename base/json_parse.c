/* SPDX-License-Identifier: MIT */
#include "base/json_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

_Static_assert(sizeof(struct json_token) == sizeof(jsmntok_t), "tokens are converted in place");

/* A walk over all tokens in their order. */
struct walk {
	struct json_document *document;
	size_t at;    /* behind what is checked of the text */
	size_t depth; /* containers that are open, and of each: */
	uint32_t open[JSON_MAX_DEPTH], last[JSON_MAX_DEPTH], n_seen[JSON_MAX_DEPTH];
};

static int json_bad(struct error *error, const char *text, size_t at, const char *why)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return error_say(error, -EBADMSG, "line %zu, column %zu: %s", line, column, why);
}

static bool number_is_valid(const char *p, size_t n)
{
	const char *end = p + n;

	if (p < end && *p == '-')
		p++;
	if (p == end || *p < '0' || *p > '9')
		return false;
	if (*p++ != '0') {
		while (p < end && *p >= '0' && *p <= '9')
			p++;
	}
	if (p < end && *p == '.') {
		if (++p == end || *p < '0' || *p > '9')
			return false;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		if (++p < end && (*p == '+' || *p == '-'))
			p++;
		if (p == end || *p < '0' || *p > '9')
			return false;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
	}
	return p == end;
}

/* The length of the UTF-8 sequence at @p (RFC 3629), 0 where it is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	size_t length = *p < 0x80		  ? 1
			: *p >= 0xc2 && *p < 0xe0 ? 2
			: *p >= 0xe0 && *p < 0xf0 ? 3
			: *p >= 0xf0 && *p < 0xf5 ? 4
						  : 0;

	if (length == 0 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

static int hex4(const char *p, const char *end, uint32_t *ret_value)
{
	uint32_t value = 0;

	if (end - p < 4)
		return -EBADMSG;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return -EBADMSG;
	}
	*ret_value = value;
	return 0;
}

static char *utf8_encode(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* One escape at *@cursor (behind the backslash): its bytes to *@out. A reason on failure. */
static const char *escape_decode(const char **cursor, const char *end, char **out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	uint32_t c, low;

	if (**cursor != 'u') {
		letter = strchr(letters, **cursor);
		if (!letter || !**cursor)
			return "unknown escape";
		*(*out)++ = values[letter - letters];
		(*cursor)++;
		return NULL;
	}
	if (hex4(*cursor + 1, end, &c) < 0)
		return "\\u needs four hex digits";
	*cursor += 5;
	if (c >= 0xd800 && c < 0xdc00) {
		if (end - *cursor < 6 || (*cursor)[0] != '\\' || (*cursor)[1] != 'u' ||
		    hex4(*cursor + 2, end, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return "half a surrogate pair";
		*cursor += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return "half a surrogate pair";
	}
	if (c == 0)
		return "a string with a NUL in it";
	*out = utf8_encode(*out, c);
	return NULL;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '\\';
}

/* Unescapes in place; the text never gets longer, and the closing quote makes room for the NUL. */
static const char *string_decode(char *start, char *end, const char **ret_at)
{
	const char *p = start;
	char *out;

	/* Most strings have nothing to decode, and most of the others begin so. */
	while (p < end && is_plain(*p))
		p++;
	out = start + (p - start);
	while (p < end) {
		size_t n;

		*ret_at = p;
		if (*p == '\\') {
			const char *why;

			p++;
			why = escape_decode(&p, end, &out);
			if (why)
				return why;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return "a control character in a string";
		n = (unsigned char)*p < 0x80
			    ? 1
			    : utf8_length((const unsigned char *)p, (size_t)(end - p));
		if (n == 0)
			return "not UTF-8";
		while (n-- > 0)
			*out++ = *p++;
	}
	*out = '\0';
	return NULL;
}

static int primitive_check(const struct json_document *document, struct json_token *token,
			   struct error *error)
{
	const char *p = document->text + token->start;
	size_t n = token->end - token->start;

	if (n == 4 && !memcmp(p, "null", 4))
		token->type = JSON_NULL;
	else if ((n == 4 && !memcmp(p, "true", 4)) || (n == 5 && !memcmp(p, "false", 5)))
		token->type = JSON_BOOL;
	else if (number_is_valid(p, n))
		token->type = JSON_NUMBER;
	else
		return json_bad(error, document->text, token->start, "not a value");
	return 0;
}

static int string_check(const struct json_document *document, const struct json_token *token,
			struct error *error)
{
	const char *at = document->decoded + token->start, *why;

	why = string_decode(document->decoded + token->start, document->decoded + token->end, &at);
	return why ? json_bad(error, document->text, (size_t)(at - document->decoded), why) : 0;
}

static void space_skip(struct walk *walk)
{
	const char *text = walk->document->text;

	while (walk->at < walk->document->n_bytes &&
	       (text[walk->at] == ' ' || text[walk->at] == '\n' || text[walk->at] == '\t' ||
		text[walk->at] == '\r'))
		walk->at++;
}

/* Small objects only: a large one is data (labels), and the first of a name wins. */
static int names_check(const struct json_document *document, uint32_t object, struct error *error)
{
	const struct json_token *tokens = document->tokens;
	const char *decoded = document->decoded;

	if (tokens[object].n_children > 64)
		return 0;
	for (uint32_t a = object + 1; a < tokens[object].next; a = tokens[a + 1].next) {
		for (uint32_t b = object + 1; b < a; b = tokens[b + 1].next) {
			if (decoded[tokens[a].start] == decoded[tokens[b].start] &&
			    !strcmp(decoded + tokens[a].start, decoded + tokens[b].start))
				return json_bad(error, document->text, tokens[a].start,
						"the same name twice in one object");
		}
	}
	return 0;
}

/* Closes the containers that end before the token @next, which begins at @start. */
static int containers_close(struct walk *walk, uint32_t next, size_t start, struct error *error)
{
	struct json_document *document = walk->document;

	while (walk->depth > 0) {
		uint32_t number = walk->open[walk->depth - 1];
		struct json_token *open = &document->tokens[number];

		if (start < open->end)
			return 0;
		space_skip(walk);
		if (walk->at != open->end - 1u)
			return json_bad(error, document->text, walk->at,
					"expected a closing bracket");
		open->next = next;
		walk->at = open->end;
		walk->depth--;
		if (open->n_children > 0)
			document->tokens[walk->last[walk->depth]].is_last = true;
		if (open->type == JSON_OBJECT && names_check(document, number, error) < 0)
			return -EBADMSG;
	}
	return 0;
}

/*
 * The punctuation before a token, which jsmn is loose about: exactly what RFC 8259 has there.
 * @start is where the token begins in the text.
 */
static int punctuation_check(struct walk *walk, const struct json_token *token, size_t start,
			     struct error *error)
{
	const char *text = walk->document->text;

	space_skip(walk);
	if (token->is_member) {
		if (text[walk->at] != ':')
			return json_bad(error, text, walk->at, "expected ':'");
		walk->at++;
		space_skip(walk);
	} else if (walk->depth > 0 && walk->n_seen[walk->depth - 1]++ > 0) {
		if (text[walk->at] != ',')
			return json_bad(error, text, walk->at, "expected ','");
		walk->at++;
		space_skip(walk);
	}
	if (walk->depth == 0 && token != walk->document->tokens)
		return json_bad(error, text, walk->at, "something behind the document");
	return walk->at == start ? 0 : json_bad(error, text, walk->at, "expected a value");
}

/* One of jsmn's tokens becomes ours: whose name it is, or what its name is. */
static int token_convert(const struct json_document *document, uint32_t number, struct error *error)
{
	static const uint8_t types[] = { [JSMN_OBJECT] = JSON_OBJECT,
					 [JSMN_ARRAY] = JSON_ARRAY,
					 [JSMN_STRING] = JSON_STRING,
					 [JSMN_PRIMITIVE] = JSON_NUMBER };
	struct json_token *token = &document->tokens[number];
	const struct json_token *parent;
	jsmntok_t from;
	bool of_key;

	memcpy(&from, token, sizeof(from));
	parent = from.parent < 0 ? NULL : &document->tokens[from.parent];
	of_key = parent && parent->is_key;
	*token = (struct json_token){ .type = types[from.type],
				      .is_key = parent && parent->type == JSON_OBJECT,
				      .is_member = of_key,
				      .start = (uint32_t)from.start,
				      .end = (uint32_t)from.end,
				      .n_children = (uint32_t)from.size,
				      .next = number + 1 };
	if ((token->is_key && (from.type != JSMN_STRING || from.size != 1)) ||
	    (of_key && (uint32_t)from.parent != number - 1))
		return json_bad(error, document->text, token->start, "expected a name and a value");
	if (!token->is_key && from.type == JSMN_STRING && from.size != 0)
		return json_bad(error, document->text, token->start, "unexpected ':'");
	return 0;
}

/* Everything about one token: converted, and checked with all that is before it. */
static int token_take(struct walk *walk, uint32_t number, struct error *error)
{
	struct json_document *document = walk->document;
	struct json_token *token = &document->tokens[number];
	size_t start;
	int r = token_convert(document, number, error);

	if (r < 0)
		return r;
	start = token->start - (token->type == JSON_STRING);
	r = containers_close(walk, number, start, error);
	if (r == 0)
		r = punctuation_check(walk, token, start, error);
	if (r < 0)
		return r;
	if (walk->depth > 0 && !token->is_key)
		walk->last[walk->depth - 1] = number;
	switch (token->type) {
	case JSON_ARRAY:
	case JSON_OBJECT:
		walk->n_seen[walk->depth] = 0;
		walk->open[walk->depth++] = number;
		walk->at = token->start + 1u;
		return 0;
	case JSON_STRING:
		walk->at = token->end + 1u;
		return string_check(document, token, error);
	default:
		walk->at = token->end;
		return primitive_check(document, token, error);
	}
}

static int tokens_take(struct json_document *document, struct error *error)
{
	struct walk walk = { .document = document };
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < document->n_tokens; i++)
		r = token_take(&walk, i, error);
	if (r == 0)
		r = containers_close(&walk, (uint32_t)document->n_tokens, document->n_bytes, error);
	if (r < 0)
		return r;
	space_skip(&walk);
	return walk.at == document->n_bytes
		       ? 0
		       : json_bad(error, document->text, walk.at, "something behind the document");
}

/*
 * Before jsmn sees it, which takes quadratic time to close what is nested deeply. As much work as
 * jsmn's own: so by a table, and byte after byte with one test.
 */
static int depth_check(const struct json_document *document, struct error *error)
{
	enum { PLAIN, OPEN, CLOSE, QUOTE, ESCAPE, END };
	static const uint8_t kinds[256] = {
		['['] = OPEN,  ['{'] = OPEN,	['}'] = CLOSE, [']'] = CLOSE,
		['"'] = QUOTE, ['\\'] = ESCAPE, ['\0'] = END
	};
	const unsigned char *p = (const unsigned char *)document->text;
	const unsigned char *end = p + document->n_bytes;
	size_t depth = 0;
	uint8_t kind;

	for (;; p++) {
		while ((kind = kinds[*p]) == PLAIN)
			p++;
		if (p >= end)
			return 0;
		if (kind == OPEN && ++depth > JSON_MAX_DEPTH)
			return error_say(error, -E2BIG, "nested deeper than %d", JSON_MAX_DEPTH);
		if (kind == CLOSE && depth > 0)
			depth--;
		if (kind != QUOTE)
			continue;
		do {
			do
				p++;
			while ((kind = kinds[*p]) < QUOTE);
			if (kind == ESCAPE)
				p++;
		} while (kind != QUOTE && p < end);
		if (p >= end)
			return 0;
	}
}

/* The text has a space and a NUL behind it: jsmn wants to see the end of a number or a word. */
static int jsmn_run(struct json_document *document, size_t n_tokens, jsmn_parser *parser)
{
	jsmn_init(parser);
	return jsmn_parse(parser, document->text, document->n_bytes + 1,
			  (jsmntok_t *)document->tokens, (unsigned int)n_tokens);
}

static int tokens_find(struct json_document *document, struct error *error)
{
	/* A guess that fits most documents. */
	size_t n_tokens = document->n_bytes / 8 + 16;
	jsmn_parser parser;
	int n;

	document->tokens = reallocarray(NULL, n_tokens, sizeof(*document->tokens));
	if (!document->tokens)
		return error_set(error, -ENOMEM, "cannot parse");
	n = jsmn_run(document, n_tokens, &parser);
	if (n == JSMN_ERROR_NOMEM) {
		/* No document has more tokens than bytes. */
		free(document->tokens);
		n_tokens = document->n_bytes + 1;
		document->tokens = reallocarray(NULL, n_tokens, sizeof(*document->tokens));
		if (!document->tokens)
			return error_set(error, -ENOMEM, "cannot parse");
		n = jsmn_run(document, n_tokens, &parser);
	}
	if (n == JSMN_ERROR_PART)
		return json_bad(error, document->text, document->n_bytes, "it ends too early");
	if (n < 0)
		return json_bad(error, document->text, parser.pos, "not JSON");
	if (n == 0)
		return json_bad(error, document->text, 0, "it is empty");
	document->n_tokens = (size_t)n;
	return 0;
}

/* Takes @text, which has room for two bytes behind its @n_bytes, whatever becomes of it. */
static int text_parse(struct json_document *document, char *text, size_t n_bytes,
		      struct error *error)
{
	struct json_document parsed = { .text = text, .n_bytes = n_bytes };
	int r = 0;

	/* Tokens hold 32-bit offsets (jsmn's are int). */
	if (n_bytes > INT32_MAX / 2)
		r = error_say(error, -EFBIG, "a document of %zu bytes", n_bytes);
	parsed.decoded = r < 0 ? NULL : malloc(n_bytes + 2);
	if (r == 0 && !parsed.decoded)
		r = error_set(error, -ENOMEM, "cannot parse");
	if (r == 0) {
		memcpy(text + n_bytes, " ", 2);
		memcpy(parsed.decoded, text, n_bytes + 2);
		r = depth_check(&parsed, error);
	}
	if (r == 0)
		r = tokens_find(&parsed, error);
	if (r == 0)
		r = tokens_take(&parsed, error);
	if (r < 0)
		json_document_deinit(&parsed);
	else
		*document = parsed;
	return r;
}

int json_parse(struct json_document *document, const char *text, size_t n_bytes,
	       struct error *error)
{
	char *copy = n_bytes > INT32_MAX ? NULL : malloc(n_bytes + 2);

	if (!copy)
		return error_set(error, -ENOMEM, "cannot parse");
	memcpy(copy, text, n_bytes);
	return text_parse(document, copy, n_bytes, error);
}

int json_parse_owned(struct json_document *document, char *text, size_t n_bytes,
		     struct error *error)
{
	return text_parse(document, text, n_bytes, error);
}

int json_parse_file_at(struct json_document *document, int directory_fd, const char *path,
		       size_t max_bytes, struct error *error)
{
	size_t n_bytes;
	char *text;
	int r = file_read_at(directory_fd, path, max_bytes, &text, &n_bytes);

	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	r = json_parse_owned(document, text, n_bytes, error);
	return r < 0 ? error_prefix(error, r, "'%s'", path) : 0;
}

void json_document_deinit(struct json_document *document)
{
	free(document->text);
	free(document->decoded);
	free(document->tokens);
	*document = (struct json_document){};
}
