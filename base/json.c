/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

/* A value's end, the index of the next value beside it, and whether it is a member's name. */
struct json_token {
	uint32_t start; /* of the value's text; of a string, behind the quote */
	uint32_t end;
	uint32_t next; /* the token behind this value and all within it */
	uint32_t parent;
	uint32_t n_children; /* elements, or members */
	uint8_t type;
	bool is_key;
	bool is_member; /* the token before it is its name */
};

static const struct json_token *json_token(struct json_value value)
{
	if (!value.document || value.index >= value.document->n_tokens)
		return NULL;
	return &value.document->tokens[value.index];
}

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

static int primitive_check(struct json_document *document, struct json_token *token,
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

static size_t space_skip(const char *text, size_t at, size_t end)
{
	while (at < end &&
	       (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r'))
		at++;
	return at;
}

/*
 * The punctuation between tokens, which jsmn is loose about: walks all tokens in order with a
 * stack of open containers and demands exactly what RFC 8259 has there.
 */
static int punctuation_check(const struct json_document *document, struct error *error)
{
	const char *text = document->text;
	uint32_t stack[JSON_MAX_DEPTH], n_seen[JSON_MAX_DEPTH];
	size_t depth = 0, at = 0, n = document->n_bytes;

	for (size_t i = 0; i <= document->n_tokens; i++) {
		const struct json_token *token =
			i < document->n_tokens ? &document->tokens[i] : NULL;
		size_t start;

		/* Close the containers that end before this token. */
		while (depth > 0 && (!token || document->tokens[stack[depth - 1]].next <= i)) {
			const struct json_token *open = &document->tokens[stack[depth - 1]];

			at = space_skip(text, at, n);
			if (at != open->end - 1u)
				return json_bad(error, text, at, "expected a closing bracket");
			at = open->end;
			depth--;
		}
		at = space_skip(text, at, n);
		if (!token)
			break;
		if (depth > 0 && !token->is_member) {
			if (n_seen[depth - 1]++ > 0) {
				if (text[at] != ',')
					return json_bad(error, text, at, "expected ','");
				at = space_skip(text, at + 1, n);
			}
		} else if (token->is_member) {
			if (text[at] != ':')
				return json_bad(error, text, at, "expected ':'");
			at = space_skip(text, at + 1, n);
		}
		if (depth == 0 && i > 0)
			return json_bad(error, text, at, "something behind the document");
		start = token->type == JSON_STRING ? token->start - 1u : token->start;
		if (at != start)
			return json_bad(error, text, at, "expected a value");
		if (token->type == JSON_ARRAY || token->type == JSON_OBJECT) {
			if (depth == JSON_MAX_DEPTH)
				return error_say(error, -E2BIG, "nested deeper than %d",
						 JSON_MAX_DEPTH);
			n_seen[depth] = 0;
			stack[depth++] = (uint32_t)i;
			at = token->start + 1u;
		} else {
			at = token->type == JSON_STRING ? token->end + 1u : token->end;
		}
	}
	return at == n ? 0 : json_bad(error, text, at, "something behind the document");
}

static int keys_check(const struct json_document *document, struct error *error)
{
	for (size_t i = 0; i < document->n_tokens; i++) {
		const struct json_token *object = &document->tokens[i];

		if (object->type != JSON_OBJECT)
			continue;
		for (uint32_t a = (uint32_t)i + 1; a < object->next;
		     a = document->tokens[a + 1].next) {
			for (uint32_t b = (uint32_t)i + 1; b < a;
			     b = document->tokens[b + 1].next) {
				/* Small objects only: a large one is data (labels), first one wins.
				 */
				if (object->n_children > 64)
					break;
				if (!strcmp(document->decoded + document->tokens[a].start,
					    document->decoded + document->tokens[b].start))
					return json_bad(error, document->text,
							document->tokens[a].start,
							"the same name twice in one object");
			}
		}
	}
	return 0;
}

/* jsmn's tokens become ours: whose name is what, and where each value ends. */
static int tokens_convert(struct json_document *document, const jsmntok_t *from,
			  struct error *error)
{
	static const uint8_t types[] = { [JSMN_OBJECT] = JSON_OBJECT,
					 [JSMN_ARRAY] = JSON_ARRAY,
					 [JSMN_STRING] = JSON_STRING,
					 [JSMN_PRIMITIVE] = JSON_NUMBER };
	struct json_token *tokens = document->tokens;

	for (size_t i = 0; i < document->n_tokens; i++) {
		struct json_token *token = &tokens[i];
		bool in_object = from[i].parent >= 0 && from[from[i].parent].type == JSMN_OBJECT;
		bool of_key = from[i].parent >= 0 && tokens[from[i].parent].is_key;

		*token = (struct json_token){ .start = (uint32_t)from[i].start,
					      .end = (uint32_t)from[i].end,
					      .parent = (uint32_t)from[i].parent,
					      .n_children = (uint32_t)from[i].size,
					      .type = types[from[i].type],
					      .is_key = in_object,
					      .is_member = of_key };
		if ((in_object && (from[i].type != JSMN_STRING || from[i].size != 1)) ||
		    (of_key && (size_t)from[i].parent != i - 1))
			return json_bad(error, document->text, token->start,
					"expected a name and a value");
		if (!in_object && from[i].type == JSMN_STRING && from[i].size != 0)
			return json_bad(error, document->text, token->start, "unexpected ':'");
	}
	/* From the last on: a value ends where its last child ends. */
	for (size_t i = document->n_tokens; i-- > 0;) {
		struct json_token *token = &tokens[i];

		if (token->next < i + 1)
			token->next = (uint32_t)i + 1;
		if (from[i].parent >= 0 && tokens[from[i].parent].next < token->next)
			tokens[from[i].parent].next = token->next;
	}
	return 0;
}

/* Before jsmn sees it, which takes quadratic time to close what is nested deeply. */
static int depth_check(const struct json_document *document, struct error *error)
{
	const char *end = document->text + document->n_bytes;
	size_t depth = 0;

	for (const char *p = document->text; p < end; p++) {
		if (*p == '"') {
			for (p++; p < end && *p != '"'; p++)
				p += *p == '\\';
		} else if (*p == '[' || *p == '{') {
			if (++depth > JSON_MAX_DEPTH)
				return error_say(error, -E2BIG, "nested deeper than %d",
						 JSON_MAX_DEPTH);
		} else if ((*p == ']' || *p == '}') && depth > 0) {
			depth--;
		}
	}
	return 0;
}

static int tokens_find(struct json_document *document, jsmntok_t **ret_tokens, struct error *error)
{
	/* A guess that fits most documents; when it doesn't, jsmn counts. */
	size_t n_guess = document->n_bytes / 8 + 16;
	_cleanup_free_ jsmntok_t *tokens = reallocarray(NULL, n_guess, sizeof(*tokens));
	jsmn_parser parser;
	int n;

	if (!tokens)
		return error_set(error, -ENOMEM, "cannot parse");
	/* With the space behind the text: jsmn wants to see the end of a number or a word. */
	jsmn_init(&parser);
	n = jsmn_parse(&parser, document->text, document->n_bytes + 1, tokens,
		       (unsigned int)n_guess);
	if (n == JSMN_ERROR_NOMEM) {
		/* No document has more tokens than bytes. */
		jsmntok_t *larger = reallocarray(tokens, document->n_bytes + 1, sizeof(*tokens));

		if (!larger)
			return error_set(error, -ENOMEM, "cannot parse");
		tokens = larger;
		jsmn_init(&parser);
		n = jsmn_parse(&parser, document->text, document->n_bytes + 1, tokens,
			       (unsigned int)document->n_bytes + 1);
	}
	if (n == JSMN_ERROR_PART)
		return json_bad(error, document->text, document->n_bytes, "it ends too early");
	if (n < 0)
		return json_bad(error, document->text, parser.pos, "not JSON");
	if (n == 0)
		return json_bad(error, document->text, 0, "it is empty");
	document->n_tokens = (size_t)n;
	*ret_tokens = take_ptr(tokens);
	return 0;
}

static int document_fill(struct json_document *document, struct error *error)
{
	_cleanup_free_ jsmntok_t *from = NULL;
	int r = depth_check(document, error);

	if (r == 0)
		r = tokens_find(document, &from, error);
	if (r < 0)
		return r;
	document->tokens = reallocarray(NULL, document->n_tokens, sizeof(*document->tokens));
	if (!document->tokens)
		return error_set(error, -ENOMEM, "cannot parse");
	r = tokens_convert(document, from, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < document->n_tokens; i++) {
		struct json_token *token = &document->tokens[i];

		if (token->type == JSON_NUMBER) {
			r = primitive_check(document, token, error);
			if (r < 0)
				return r;
		}
	}
	r = punctuation_check(document, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < document->n_tokens; i++) {
		struct json_token *token = &document->tokens[i];
		const char *at = document->decoded + token->start, *why;

		if (token->type != JSON_STRING)
			continue;
		why = string_decode(document->decoded + token->start,
				    document->decoded + token->end, &at);
		if (why)
			return json_bad(error, document->text, (size_t)(at - document->decoded),
					why);
	}
	return keys_check(document, error);
}

int json_parse(struct json_document *document, const char *text, size_t n_bytes,
	       struct error *error)
{
	struct json_document parsed = { .n_bytes = n_bytes };
	int r;

	/* Tokens hold 32-bit offsets (jsmn's are int). */
	if (n_bytes > INT32_MAX / 2)
		return error_say(error, -EFBIG, "a document of %zu bytes", n_bytes);
	parsed.text = malloc(2 * (n_bytes + 2));
	if (!parsed.text)
		return error_set(error, -ENOMEM, "cannot parse");
	parsed.decoded = parsed.text + n_bytes + 2;
	memcpy(parsed.text, text, n_bytes);
	memcpy(parsed.decoded, text, n_bytes);
	memcpy(parsed.text + n_bytes, " ", 2);
	memcpy(parsed.decoded + n_bytes, " ", 2);
	r = document_fill(&parsed, error);
	if (r < 0) {
		json_document_deinit(&parsed);
		return r;
	}
	*document = parsed;
	return 0;
}

int json_parse_file_at(struct json_document *document, int directory_fd, const char *path,
		       size_t max_bytes, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t n_bytes;
	int r = file_read_at(directory_fd, path, max_bytes, &text, &n_bytes);

	if (r < 0)
		return error_set(error, r, "cannot read '%s'", path);
	r = json_parse(document, text, n_bytes, error);
	return r < 0 ? error_prefix(error, r, "'%s'", path) : 0;
}

void json_document_deinit(struct json_document *document)
{
	free(document->text);
	free(document->tokens);
	*document = (struct json_document){};
}

struct json_value json_root(const struct json_document *document)
{
	return (struct json_value){ .document = document };
}

enum json_type json_type(struct json_value value)
{
	const struct json_token *token = json_token(value);

	return token ? token->type : JSON_MISSING;
}

bool json_exists(struct json_value value)
{
	return json_type(value) > JSON_NULL;
}

static struct json_value json_find(struct json_value object, const char *key,
				   int (*compare)(const char *, const char *))
{
	if (json_type(object) != JSON_OBJECT)
		return (struct json_value){};
	JSON_FOR_EACH (element, object) {
		if (!compare(json_key(element), key))
			return element;
	}
	return (struct json_value){};
}

struct json_value json_get(struct json_value object, const char *key)
{
	return json_find(object, key, strcmp);
}

struct json_value json_get_ignoring_case(struct json_value object, const char *key)
{
	struct json_value exact = json_find(object, key, strcmp);

	return exact.document ? exact : json_find(object, key, strcasecmp);
}

const char *json_string(struct json_value value)
{
	return json_string_or(value, NULL);
}

const char *json_string_or(struct json_value value, const char *otherwise)
{
	if (json_type(value) != JSON_STRING)
		return otherwise;
	return value.document->decoded + json_token(value)->start;
}

bool json_bool_or(struct json_value value, bool otherwise)
{
	if (json_type(value) != JSON_BOOL)
		return otherwise;
	return value.document->text[json_token(value)->start] == 't';
}

/* The digits of a whole number; "1e3" and "1.0" are not taken for one. */
static int json_magnitude(struct json_value value, bool *ret_negative, uint64_t *ret_magnitude)
{
	const struct json_token *token = json_token(value);
	uint64_t magnitude = 0;
	const char *p, *end;

	if (json_type(value) != JSON_NUMBER)
		return -EINVAL;
	p = value.document->text + token->start;
	end = value.document->text + token->end;
	*ret_negative = *p == '-';
	for (p += *ret_negative; p < end; p++) {
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(magnitude, 10, &magnitude) ||
		    __builtin_add_overflow(magnitude, (uint64_t)(*p - '0'), &magnitude))
			return -EINVAL;
	}
	*ret_magnitude = magnitude;
	return 0;
}

int json_int64(struct json_value value, int64_t *ret_number)
{
	uint64_t magnitude;
	bool negative;

	if (json_magnitude(value, &negative, &magnitude) < 0 ||
	    magnitude > (uint64_t)INT64_MAX + negative)
		return -EINVAL;
	*ret_number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return 0;
}

int json_uint64(struct json_value value, uint64_t *ret_number)
{
	uint64_t magnitude;
	bool negative;

	if (json_magnitude(value, &negative, &magnitude) < 0 || (negative && magnitude > 0))
		return -EINVAL;
	*ret_number = magnitude;
	return 0;
}

size_t json_count(struct json_value value)
{
	enum json_type type = json_type(value);

	return type == JSON_ARRAY || type == JSON_OBJECT ? json_token(value)->n_children : 0;
}

struct json_value json_first(struct json_value container)
{
	enum json_type type = json_type(container);

	if ((type != JSON_ARRAY && type != JSON_OBJECT) || json_token(container)->n_children == 0)
		return (struct json_value){};
	container.index += type == JSON_OBJECT ? 2 : 1;
	return container;
}

struct json_value json_next(struct json_value element)
{
	const struct json_token *token = json_token(element);
	bool is_member = token->is_member;
	uint32_t container, next = token->next;

	container = token->parent;
	if (is_member)
		container = element.document->tokens[container].parent;
	if (next >= element.document->tokens[container].next)
		return (struct json_value){};
	element.index = is_member ? next + 1 : next;
	return element;
}

const char *json_key(struct json_value element)
{
	const struct json_token *token = json_token(element);

	if (!token || !token->is_member)
		return NULL;
	return element.document->decoded + element.document->tokens[element.index - 1].start;
}

const char *json_raw(struct json_value value, size_t *ret_n_bytes)
{
	const struct json_token *token = json_token(value);
	size_t quote;

	if (!token) {
		*ret_n_bytes = 0;
		return NULL;
	}
	quote = token->type == JSON_STRING;
	*ret_n_bytes = token->end - token->start + 2 * quote;
	return value.document->text + token->start - quote;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = { "missing",	 "null",     "a bool",	 "a number",
					     "a string", "an array", "an object" };

	return names[type];
}
