#include "proto/net/stream_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "proto/base/log.h"

enum { CIPHER_READ_SIZE = 32 * 1024, PLAIN_WRITE_SIZE = 128 * 1024 };

/* HANDSHAKE --> OPEN --> CLOSED
 * pump() holds all control flow: it is called when ciphertext came and when the user wants
 * to read again, and goes on until OpenSSL asks for more or the user stops it. */
struct stream_tls {
	struct stream base;
	struct stream *inner;
	struct runtime *runtime;
	SSL *session;
	BIO *incoming; /* ciphertext from the peer; owned by the session */
	BIO *outgoing; /* ciphertext to the peer; owned by the session */
	struct runtime_task resume;
	bool is_open;
	bool is_inner_open;
	bool is_reading_wanted;
	bool has_ended;
	uint8_t cipher[CIPHER_READ_SIZE];
};

static struct stream_tls *tls_of(const struct stream *stream)
{
	return CONTAINER_OF(stream, struct stream_tls, base);
}

static void end(struct stream_tls *tls, enum status status)
{
	if (tls->has_ended || tls->base.is_closing)
		return;
	tls->has_ended = true;
	tls->is_open = false;
	tls->base.user->ended(&tls->base, status);
}

/* Hand OpenSSL's ciphertext to the stream below. */
static enum status flush(struct stream_tls *tls)
{
	char *data;
	long size = BIO_get_mem_data(tls->outgoing, &data);
	struct slice slice;
	enum status status;

	if (size <= 0)
		return ST_OK;
	slice = slice_of(data, (size_t)size);
	status = stream_write(tls->inner, &slice, 1);
	(void)BIO_reset(tls->outgoing); /* a memory buffer cannot fail here */
	return status;
}

/* Is it about certificates, or is the peer no TLS speaker at all? */
static enum status status_of_error(unsigned long error)
{
	switch (ERR_GET_REASON(error)) {
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
		return ST_DENIED;
	default:
		return ST_CORRUPT;
	}
}

/* After an OpenSSL call gave rc <= 0: true if it only wants more bytes. */
static bool wants_more(struct stream_tls *tls, int rc)
{
	int reason = SSL_get_error(tls->session, rc);
	unsigned long error = ERR_peek_error();
	char text[128];

	(void)flush(tls); /* perhaps an alert; a broken stream below reports itself */
	if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
		return true;
	if (reason == SSL_ERROR_ZERO_RETURN) {
		end(tls, ST_CLOSED);
		return false;
	}
	ERR_error_string_n(error, text, sizeof(text));
	log_warn("tls", "broken", "peer=%s error=%s", tls->inner->peer_name, text);
	end(tls, status_of_error(error));
	return false;
}

/* True when the handshake is done. */
static bool shake_hands(struct stream_tls *tls)
{
	int rc;

	if (tls->is_open)
		return true;
	if (!tls->is_inner_open)
		return false;
	ERR_clear_error();
	rc = SSL_do_handshake(tls->session);
	if (rc != 1) {
		(void)wants_more(tls, rc); /* on_read() resumes */
		return false;
	}
	if (flush(tls) != ST_OK) {
		end(tls, ST_CLOSED);
		return false;
	}
	tls->is_open = true;
	tls->base.user->opened(&tls->base);
	return true;
}

static bool can_read(const struct stream_tls *tls)
{
	return tls->is_open && tls->is_reading_wanted && !tls->base.is_closing;
}

static void pump(struct stream_tls *tls)
{
	if (tls->has_ended || !shake_hands(tls))
		return;
	while (can_read(tls)) {
		size_t size_bytes = 0;
		uint8_t *buffer = tls->base.user->read_buffer(&tls->base, &size_bytes);
		size_t read_bytes = 0;
		int rc;

		if (buffer == NULL) {
			end(tls, ST_NO_MEMORY);
			return;
		}
		ERR_clear_error();
		rc = SSL_read_ex(tls->session, buffer, size_bytes, &read_bytes);
		if (rc != 1) {
			(void)wants_more(tls, rc); /* on_read() resumes */
			return;
		}
		tls->base.user->read(&tls->base, read_bytes);
	}
}

static void on_inner_opened(struct stream *inner)
{
	struct stream_tls *tls = inner->context;

	tls->is_inner_open = true;
	memcpy(tls->base.peer_name, inner->peer_name, sizeof(inner->peer_name));
	pump(tls);
}

static uint8_t *on_inner_read_buffer(struct stream *inner, size_t *size_out)
{
	struct stream_tls *tls = inner->context;

	*size_out = sizeof(tls->cipher);
	return tls->cipher;
}

static void on_inner_read(struct stream *inner, size_t size_bytes)
{
	struct stream_tls *tls = inner->context;

	if (BIO_write(tls->incoming, tls->cipher, (int)size_bytes) != (int)size_bytes)
		end(tls, ST_NO_MEMORY);
	else
		pump(tls);
}

static void on_inner_drained(struct stream *inner)
{
	struct stream_tls *tls = inner->context;

	if (tls->is_open && tls->base.user->drained != NULL)
		tls->base.user->drained(&tls->base);
}

static void on_inner_ended(struct stream *inner, enum status status)
{
	end(inner->context, status);
}

static void on_inner_closed(struct stream *inner)
{
	struct stream_tls *tls = inner->context;

	tls->base.user->closed(&tls->base);
	SSL_free(tls->session);
	free(tls);
}

static const struct stream_user inner_user = {
	.opened = on_inner_opened,
	.read_buffer = on_inner_read_buffer,
	.read = on_inner_read,
	.drained = on_inner_drained,
	.ended = on_inner_ended,
	.closed = on_inner_closed,
};

static void on_resume(struct runtime_task *task)
{
	pump(CONTAINER_OF(task, struct stream_tls, resume));
}

/* Encrypt and send piece by piece, so that OpenSSL's buffer stays small. */
static enum status write_slice(struct stream_tls *tls, struct slice slice)
{
	while (slice.size > 0) {
		size_t piece = slice.size < PLAIN_WRITE_SIZE ? slice.size : PLAIN_WRITE_SIZE;
		size_t written = 0;

		ERR_clear_error();
		if (SSL_write_ex(tls->session, slice.data, piece, &written) != 1 || written != piece)
			return ST_CLOSED;
		if (flush(tls) != ST_OK)
			return ST_CLOSED;
		slice = slice_of(slice.data + piece, slice.size - piece);
	}
	return ST_OK;
}

static enum status write_slices(struct stream *stream, const struct slice *slices, size_t slice_count)
{
	struct stream_tls *tls = tls_of(stream);
	size_t size_bytes = 0;

	if (!tls->is_open || stream->is_closing)
		return ST_CLOSED;
	for (size_t i = 0; i < slice_count; i++)
		size_bytes += slices[i].size;
	if (stream_queued_bytes(tls->inner) + size_bytes > stream->queued_bytes_max)
		return ST_OVERLOADED;
	for (size_t i = 0; i < slice_count; i++) {
		enum status status = write_slice(tls, slices[i]);

		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

static void read_start(struct stream *stream)
{
	struct stream_tls *tls = tls_of(stream);

	tls->is_reading_wanted = true;
	stream_read_start(tls->inner);
	runtime_defer(tls->runtime, &tls->resume); /* for what is decrypted or held back already */
}

static void read_stop(struct stream *stream)
{
	struct stream_tls *tls = tls_of(stream);

	tls->is_reading_wanted = false;
	if (tls->is_open)
		stream_read_stop(tls->inner);
}

static size_t queued_bytes(const struct stream *stream)
{
	return stream_queued_bytes(tls_of(stream)->inner);
}

static bool peer_identity(const struct stream *stream, struct tls_identity *identity_out)
{
	const struct stream_tls *tls = tls_of(stream);

	return tls->is_open && tls_context_peer_identity(tls->session, identity_out);
}

static void close_stream(struct stream *stream)
{
	struct stream_tls *tls = tls_of(stream);

	runtime_task_cancel(&tls->resume);
	if (tls->is_open) {
		ERR_clear_error();
		(void)SSL_shutdown(tls->session); /* a courtesy to the peer */
		(void)flush(tls);
	}
	tls->is_open = false;
	stream_close(tls->inner);
}

static const struct stream_ops stream_tls_ops = {
	.write = write_slices,
	.read_start = read_start,
	.read_stop = read_stop,
	.queued_bytes = queued_bytes,
	.peer_identity = peer_identity,
	.close = close_stream,
};

static enum status attach_buffers(struct stream_tls *tls)
{
	tls->incoming = BIO_new(BIO_s_mem());
	tls->outgoing = BIO_new(BIO_s_mem());
	if (tls->incoming == NULL || tls->outgoing == NULL) {
		BIO_free(tls->incoming);
		BIO_free(tls->outgoing);
		return ST_NO_MEMORY;
	}
	SSL_set_bio(tls->session, tls->incoming, tls->outgoing);
	return ST_OK;
}

struct stream *stream_tls_create(struct runtime *runtime, struct stream *inner,
				 const struct tls_context *context, bool is_server)
{
	struct stream_tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return NULL;
	tls->session = tls_context_new_session(context, is_server);
	if (tls->session == NULL)
		goto free_tls;
	if (attach_buffers(tls) != ST_OK)
		goto free_session;
	tls->base.ops = &stream_tls_ops;
	tls->base.queued_bytes_max = inner->queued_bytes_max;
	/* Room for records' heads, so that what is accepted here is accepted below. */
	inner->queued_bytes_max += inner->queued_bytes_max / 64 + 64 * 1024;
	memcpy(tls->base.peer_name, inner->peer_name, sizeof(inner->peer_name));
	tls->inner = inner;
	tls->runtime = runtime;
	tls->is_reading_wanted = true;
	runtime_task_init(&tls->resume, on_resume);
	stream_set_user(inner, &inner_user, tls);
	return &tls->base;

free_session:
	SSL_free(tls->session);
free_tls:
	free(tls);
	return NULL;
}
