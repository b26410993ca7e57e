/* config_value: what a flag's value may look like, and which name a misspelt one stands near. */
#include "config_value.h"

#include <string.h>

enum {
	NAMESPACE_MAX = 128,
	NAME_MAX_LEN = 32, /* of what is compared for a suggestion */
	SECONDS_MAX = 3600
};

static const uint64_t size_min = 1024;
static const uint64_t size_max = (uint64_t)64 << 30;

bool config_value_is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

bool config_value_is_word(const char *text)
{
	const char *p;

	for (p = text; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return p > text;
}

bool config_value_is_namespace(const char *text)
{
	const char *p;

	for (p = text; *p; p++) {
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9') || *p == '-'))
			return false;
	}
	return p > text && p - text <= NAMESPACE_MAX;
}

/* Digits at the start of text; returns what follows them, or NULL. */
static const char *read_number(const char *text, uint64_t max, uint64_t *out)
{
	const char *p;
	uint64_t n = 0;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (digit > max || n > (max - digit) / 10)
			return NULL;
		n = n * 10 + digit;
	}
	*out = n;
	return p > text ? p : NULL;
}

bool config_value_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t n;
	const char *rest = read_number(text, max, &n);

	if (!rest || *rest)
		return false;
	*out = n;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* The factor of a unit, or 0. */
static uint64_t find_unit(const struct unit *units, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(units[i].name, name) == 0)
			return units[i].factor;
	}
	return 0;
}

bool config_value_size(const char *text, size_t *out)
{
	static const struct unit units[] = {{"", 1}, {"B", 1}, {"K", 1 << 10}, {"KiB", 1 << 10},
		{"KB", 1000}, {"M", 1 << 20}, {"MiB", 1 << 20}, {"MB", 1000 * 1000}, {"G", 1 << 30},
		{"GiB", 1 << 30}, {"GB", 1000 * 1000 * 1000}};
	uint64_t n, factor;
	const char *rest = read_number(text, size_max, &n);

	if (!rest)
		return false;
	factor = find_unit(units, sizeof(units) / sizeof(units[0]), rest);
	if (factor == 0 || n > size_max / factor || n * factor < size_min || n * factor > SIZE_MAX)
		return false;
	*out = (size_t)(n * factor);
	return true;
}

bool config_value_seconds(const char *text, unsigned *out)
{
	static const struct unit units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
	uint64_t n, factor;
	const char *rest = read_number(text, SECONDS_MAX, &n);

	if (!rest)
		return false;
	factor = find_unit(units, sizeof(units) / sizeof(units[0]), rest);
	if (factor == 0 || n * factor > SECONDS_MAX)
		return false;
	*out = (unsigned)(n * factor);
	return true;
}

bool config_value_bool(const char *text, bool *out)
{
	static const struct {
		const char *text;
		bool value;
	} forms[] = {{"1", true}, {"t", true}, {"T", true}, {"true", true}, {"True", true},
		{"TRUE", true}, {"0", false}, {"f", false}, {"F", false}, {"false", false},
		{"False", false}, {"FALSE", false}};
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].text, text) == 0) {
			*out = forms[i].value;
			return true;
		}
	}
	return false;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must be typed, left out, changed or swapped with their neighbour. Both are at
 * most NAME_MAX_LEN long. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t n = strlen(a), m = strlen(b), i, j;

	for (i = 0; i <= n; i++)
		rows[i][0] = i;
	for (j = 0; j <= m; j++)
		rows[0][j] = j;
	for (i = 1; i <= n; i++) {
		for (j = 1; j <= m; j++) {
			size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

			rows[i][j] = min3(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
				rows[i - 1][j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				rows[i - 2][j - 2] + 1 < rows[i][j])
				rows[i][j] = rows[i - 2][j - 2] + 1;
		}
	}
	return rows[n][m];
}

const char *config_value_nearest(const char *typed, const char *const *names, size_t count)
{
	size_t len = strlen(typed);
	size_t best = len < 6 ? 2 : 3; /* what is as far away as that is something else */
	const char *found = NULL;
	size_t i;

	if (len < 2 || len > NAME_MAX_LEN)
		return NULL;
	for (i = 0; i < count; i++) {
		size_t d = strlen(names[i]) <= NAME_MAX_LEN ? distance(typed, names[i]) : best;

		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	/* The beginning of a name: -addr. */
	for (i = 0; i < count && !found; i++) {
		if (len >= 3 && strncmp(names[i], typed, len) == 0)
			found = names[i];
	}
	return found;
}
