/* Reads that bring nothing.
 *
 * libuv calls back with a count of 0 when a socket had nothing after all (EAGAIN).  It does so
 * whenever a read before filled its buffer to the last byte and nothing has come since, which
 * happens to clients that upload.  libh2o takes 0 for a broken stream where there is TLS, and
 * closes the connection in the middle of the upload (on_read_ssl in its uv-binding.c.h, 2.2.5
 * and later).  It gives its callback to libuv again and again, at places that we do not see,
 * so its calls of uv_read_start(3) come here instead: the dynamic linker prefers the program's
 * symbol to the library's. */
#include <dlfcn.h>
#include <string.h>

#include "coordinator/http/http_internal.h"

typedef int (*read_start_fn)(uv_stream_t *stream, uv_alloc_cb alloc_cb, uv_read_cb read_cb);

/* libh2o's, the same for all connections with TLS; NULL: there was none yet. */
static _Atomic(uv_read_cb) tls_read_cb;

static void on_tls_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	uv_read_cb read_cb = tls_read_cb;

	if (count != 0)
		read_cb(stream, count, buf);
}

void http_read_learn(uv_stream_t *stream)
{
	if (stream->read_cb == NULL || stream->read_cb == on_tls_read)
		return;
	tls_read_cb = stream->read_cb;
	stream->read_cb = on_tls_read;
}

static read_start_fn library_read_start(void)
{
	void *symbol = dlsym(RTLD_NEXT, "uv_read_start");
	read_start_fn start;

	CHECK(symbol != NULL);
	memcpy(&start, &symbol, sizeof(start)); /* C has no conversion between the two kinds of pointers */
	return start;
}

int uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc_cb, uv_read_cb read_cb)
{
	static _Atomic(read_start_fn) library;
	read_start_fn start = library;

	if (start == NULL)
		library = start = library_read_start();
	return start(stream, alloc_cb, read_cb != NULL && read_cb == tls_read_cb ? on_tls_read : read_cb);
}
