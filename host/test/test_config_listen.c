/* config_listen: what a person may write for a place to listen. */
#include "config_listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>

static void means(const char *text, const char *address)
{
	struct config_listen listen;
	char *shown;

	assert_true(config_listen_parse(text, &listen));
	assert_false(listen.off);
	shown = config_listen_text(&listen.address);
	assert_string_equal(shown, address);
	free(shown);
}

static void addresses(void **state)
{
	(void)state;
	means("127.0.0.1:4747", "127.0.0.1:4747");
	means("localhost:0", "127.0.0.1:0");
	means("[::1]:65535", "[::1]:65535");
	means(":80", "[::]:80");
}

static void off(void **state)
{
	struct config_listen listen;

	(void)state;
	assert_true(config_listen_parse("off", &listen));
	assert_true(listen.off);
}

static void mistakes(void **state)
{
	static const char *const texts[] = {"", "4747", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
		"127.0.0.1:65536", "127.0.0.1:-1", "::1:80:", "[::1", "[]:80", "[127.0.0.1]:80",
		"example.com:80", "http://127.0.0.1:80", "on",
		"1234567890123456789012345678901234567890123456789012345:80"};
	struct config_listen listen;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (config_listen_parse(texts[i], &listen))
			fail_msg("\"%s\" was taken", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(off),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
