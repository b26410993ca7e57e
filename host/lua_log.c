/* lua_log: see lua_log.h. */
#include "lua_log.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_lazy.h"
#include "lua_buf.h"
#include "lua_context.h"

#define FIELDS_MAX 32

/* Numbers that JSON has too, and truth values. */
static bool is_literal(lua_State *L)
{
	int type = lua_type(L, -1);

	return type == LUA_TBOOLEAN || (type == LUA_TNUMBER && isfinite(lua_tonumber(L, -1)));
}

/* The field whose name and value are on top. Pops the value; what is no string leaves its text below the name. */
static struct log_field take_field(lua_State *L)
{
	struct log_field f = {.literal = is_literal(L)};

	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "host.log: the name of a field is a string");
	f.name = lua_tostring(L, -2);
	if (lua_type(L, -1) == LUA_TSTRING) { /* the table keeps it */
		f.value = lua_tolstring(L, -1, &f.len);
		lua_pop(L, 1);
		return f;
	}
	/* No __tostring: it could take the table with the names apart. */
	if (lua_type(L, -1) >= LUA_TTABLE)
		lua_pushstring(L, luaL_typename(L, -1));
	else
		(void)luaL_tolstring(L, -1, NULL);
	lua_replace(L, -2);
	f.value = lua_tolstring(L, -1, &f.len);
	lua_insert(L, -2);
	return f;
}

/* Adds the fields of the table at index to the `count` that there are, in the order of their names; one of the same
 * name is replaced. Their texts stay in the table, or on the stack. */
static size_t read_fields(lua_State *L, int index, struct log_field *fields, size_t count)
{
	size_t i;

	luaL_checkstack(L, FIELDS_MAX + 4, NULL);
	json_lazy_touch(L, index);
	for (lua_pushnil(L); lua_next(L, index);) {
		struct log_field f = take_field(L);
		int order = 1;

		for (i = count; i > 0; i--) {
			order = strcmp(f.name, fields[i - 1].name);
			if (order >= 0)
				break;
		}
		if (order == 0) {
			fields[i - 1] = f;
			continue;
		}
		if (count == FIELDS_MAX)
			luaL_error(L, "host.log: at most %d fields", FIELDS_MAX);
		memmove(fields + i + 1, fields + i, (count - i) * sizeof(*fields));
		fields[i] = f;
		count++;
	}
	return count;
}

static bool is_fields(lua_State *L, int index)
{
	luaL_argexpected(L, lua_isnil(L, index) || lua_istable(L, index), index, "table or nil");
	return lua_istable(L, index);
}

static int log_(lua_State *L)
{
	static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
	struct lua_context *c = lua_context(L);
	enum log_level level = (enum log_level)luaL_checkoption(L, 1, NULL, levels);
	size_t len, count = 0;
	const char *message = luaL_checklstring(L, 2, &len);
	struct log_field fields[FIELDS_MAX + 1];
	char number[16];

	lua_settop(L, 4);
	bool some = is_fields(L, 3), more = is_fields(L, 4);
	if (!log_enabled(c->log, level))
		return 0;
	if (some)
		count = read_fields(L, 3, fields, count);
	if (more)
		count = read_fields(L, 4, fields, count);
	/* In the text for people it would be on every line, and says nothing there. */
	if (log_format(c->log) != LOG_TEXT) {
		(void)snprintf(number, sizeof(number), "%u", c->generation);
		fields[count++] = (struct log_field){"generation", number, strlen(number), true};
	}
	log_record(c->log, level, message, len, fields, count);
	return 0;
}

static int block(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct log *log = lua_context(L)->log;

	/* The other formats have the same as records. */
	if (log_format(log) == LOG_TEXT)
		log_block(log, text, len);
	return 0;
}

static int print(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	/* A reader that has gone away (| head) is no concern of the command. */
	(void)fwrite(text, 1, len, stdout);
	(void)fflush(stdout);
	return 0;
}

static int escape(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf *b = lua_buf_push(L, SIZE_MAX);

	b->data = log_escape(text, len);
	b->len = strlen(b->data);
	b->cap = b->len + 1;
	lua_pushlstring(L, b->data, b->len);
	buf_free(b);
	return 1;
}

void lua_log_add(lua_State *L)
{
	static const luaL_Reg functions[] = {{"log", log_}, {"block", block}, {"print", print},
		{"escape", escape}, {NULL, NULL}};

	luaL_setfuncs(L, functions, 0);
}
