/* lua_packed: see lua_packed.h. */
#include "lua_packed.h"

#include <lauxlib.h>

#include "lua_class.h"
#include "packed.h"

#define PACKED_META "host.Packed"

/* By the allocator of the Lua state, without telling its collector. */
static void *resize(void *user, void *old, size_t old_size, size_t size)
{
	lua_State *L = user;
	void *ud;
	lua_Alloc allocate = lua_getallocf(L, &ud);

	return allocate(ud, old, old_size, size);
}

static struct packed *check_packed(lua_State *L)
{
	return lua_class_self(L, PACKED_META);
}

/* The record at 2. */
static uint32_t check_record(lua_State *L, const struct packed *p)
{
	lua_Integer record = luaL_checkinteger(L, 2);

	luaL_argcheck(L, record > 0 && record <= UINT32_MAX && packed_has(p, (uint32_t)record), 2,
		"not a record of this table");
	return (uint32_t)record;
}

/* The field at 3, the first of `count`, of the record at 2. */
static int64_t *check_values(lua_State *L, const struct packed *p, int count)
{
	uint32_t record = check_record(L, p);
	lua_Integer field = luaL_checkinteger(L, 3);

	luaL_argcheck(L, field > 0 && field - 1 + count <= p->fields, 3, "no such field");
	return &packed_values(p, record)[field - 1];
}

/* The arguments from `first` on are integers. Returns how many. */
static int check_integers(lua_State *L, int first)
{
	int last = lua_gettop(L);

	for (int i = first; i <= last; i++)
		(void)luaL_checkinteger(L, i);
	return last - first + 1;
}

static void take_integers(lua_State *L, int first, int64_t *values, int count)
{
	for (int i = 0; i < count; i++)
		values[i] = lua_tointeger(L, first + i);
}

static void push_record(lua_State *L, uint32_t record)
{
	if (record)
		lua_pushinteger(L, record);
	else
		lua_pushnil(L);
}

static int packed_new(lua_State *L)
{
	lua_Integer fields = luaL_checkinteger(L, 1);
	struct packed *p;

	luaL_argcheck(L, fields > 0 && fields <= PACKED_FIELDS_MAX, 1, "too many fields, or none");
	p = lua_newuserdatauv(L, sizeof(*p), 0);
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	packed_init(p, (unsigned)fields, resize, lua_tothread(L, -1));
	lua_pop(L, 1);
	luaL_setmetatable(L, PACKED_META);
	return 1;
}

static int push_values(lua_State *L, const struct packed *p, uint32_t record)
{
	const int64_t *values = packed_values(p, record);

	for (unsigned i = 0; i < p->fields; i++)
		lua_pushinteger(L, values[i]);
	return (int)p->fields;
}

/* self, key; returns the record and its integers */
static int packed_lua_find(lua_State *L)
{
	const struct packed *p = check_packed(L);
	size_t len;
	const char *key = luaL_checklstring(L, 2, &len);
	uint32_t record = packed_find(p, key, len);

	push_record(L, record);
	return record ? 1 + push_values(L, p, record) : 1;
}

/* self, key, the first integers of the record */
static int packed_lua_add(lua_State *L)
{
	struct packed *p = check_packed(L);
	int count = check_integers(L, 3);
	size_t len;
	const char *key = luaL_checklstring(L, 2, &len);
	uint32_t record;

	luaL_argcheck(L, count <= (int)p->fields, 3, "more integers than fields");
	record = packed_add(p, key, len);
	if (!record) {
		/* As Lua does it: what is garbage may be enough. */
		(void)lua_gc(L, LUA_GCCOLLECT);
		record = packed_add(p, key, len);
	}
	if (!record)
		return luaL_error(L, "not enough memory for one more record");
	take_integers(L, 3, packed_values(p, record), count);
	lua_pushinteger(L, record);
	return 1;
}

static int packed_lua_remove(lua_State *L)
{
	struct packed *p = check_packed(L);

	packed_remove(p, check_record(L, p));
	return 0;
}

/* self, anything: a record that was removed may be asked for */
static int packed_lua_has(lua_State *L)
{
	const struct packed *p = check_packed(L);
	lua_Integer record = luaL_checkinteger(L, 2);

	lua_pushboolean(L, record > 0 && record <= UINT32_MAX && packed_has(p, (uint32_t)record));
	return 1;
}

static int packed_lua_key(lua_State *L)
{
	const struct packed *p = check_packed(L);
	size_t len;
	const char *key = packed_key(p, check_record(L, p), &len);

	lua_pushlstring(L, key, len);
	return 1;
}

/* self, record; returns its integers */
static int packed_lua_values(lua_State *L)
{
	const struct packed *p = check_packed(L);

	return push_values(L, p, check_record(L, p));
}

static int packed_lua_get(lua_State *L)
{
	lua_pushinteger(L, *check_values(L, check_packed(L), 1));
	return 1;
}

/* self, record, field, the integers from this field on */
static int packed_lua_set(lua_State *L)
{
	const struct packed *p = check_packed(L);
	int count = check_integers(L, 4);

	luaL_argcheck(L, count > 0, 4, "integer expected");
	take_integers(L, 4, check_values(L, p, count), count);
	return 0;
}

/* self, the record before (0: none) */
static int packed_lua_next(lua_State *L)
{
	const struct packed *p = check_packed(L);
	lua_Integer before = luaL_checkinteger(L, 2);

	luaL_argcheck(L, before >= 0 && before <= UINT32_MAX, 2, "not a record");
	push_record(L, packed_next(p, (uint32_t)before));
	return 1;
}

static int packed_lua_count(lua_State *L)
{
	lua_pushinteger(L, check_packed(L)->used);
	return 1;
}

static int packed_lua_bytes(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)packed_bytes(check_packed(L)));
	return 1;
}

/* Of clear and __gc. */
static int packed_lua_clear(lua_State *L)
{
	packed_clear(check_packed(L));
	return 0;
}

int luaopen_host_packed(lua_State *L)
{
	static const luaL_Reg functions[] = {{"new", packed_new}, {NULL, NULL}};
	static const luaL_Reg methods[] = {{"find", packed_lua_find}, {"add", packed_lua_add},
		{"remove", packed_lua_remove}, {"key", packed_lua_key}, {"get", packed_lua_get},
		{"values", packed_lua_values}, {"set", packed_lua_set}, {"next", packed_lua_next},
		{"count", packed_lua_count}, {"has", packed_lua_has}, {"clear", packed_lua_clear},
		{"bytes", packed_lua_bytes}, {NULL, NULL}};
	static const luaL_Reg meta[] = {{"__gc", packed_lua_clear}, {NULL, NULL}};

	lua_class_open(L, PACKED_META, methods, meta);
	luaL_newlib(L, functions);
	return 1;
}
