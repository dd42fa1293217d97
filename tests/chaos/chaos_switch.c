/* A network between namespaces, in user space, whose links can be cut, slowed and made lossy
 * one direction at a time.
 *
 *     chaos_switch SEED NAME=IPV4 ...
 *
 * Makes one TUN device per NAME in the namespace it runs in and says `ready`; the caller moves
 * them where they belong.  Packets go from device to device by their destination address.  Then
 * it obeys lines on its input, each answered by `ok`:
 *
 *     link FROM TO LOSS_PER_MILLION DELAY_US JITTER_US DUPLICATE_PER_MILLION
 *     heal
 *
 * Jitter is drawn for each packet, so it also reorders.  The end of the input ends the program,
 * and the devices with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/check.h"
#include "proto/base/rng.h"

enum {
	PORTS_MAX = 16,
	PACKET_SIZE_MAX = 65536,
	PACKETS_WAITING_MAX = 1 << 16,
	READS_PER_TURN_MAX = 64,
	LINE_SIZE_MAX = 256,
	IPV4_HEADER_SIZE = 20,
	IPV4_DESTINATION_AT = 16,
	MILLION = 1000000,
};

struct link {
	uint32_t loss_per_million;
	uint32_t duplicate_per_million;
	uint32_t delay_us;
	uint32_t jitter_us;
};

struct port {
	char name[IFNAMSIZ];
	struct in_addr address;
	int fd;
};

struct packet {
	uint64_t due_mono_us;
	uint64_t sequence; /* packets of equal due time keep their order */
	size_t port_index;
	size_t size_bytes;
	uint8_t *bytes;
};

struct exchange {
	struct port ports[PORTS_MAX];
	size_t port_count;
	struct link links[PORTS_MAX][PORTS_MAX]; /* [from][to] */
	struct packet heap[PACKETS_WAITING_MAX];
	size_t heap_count;
	uint64_t next_sequence;
	struct rng rng;
	char line[LINE_SIZE_MAX];
	size_t line_size;
};

static struct exchange net;

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "chaos_switch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_mono_us(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * MILLION + (uint64_t)now.tv_nsec / 1000;
}

/* --- ports --- */

static int open_device(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		die("/dev/net/tun");
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) != 0)
		die(name);
	return fd;
}

static void add_port(const char *word)
{
	struct port *port = &net.ports[net.port_count];
	const char *equals = strchr(word, '=');

	errno = EINVAL;
	if (net.port_count == PORTS_MAX || equals == NULL || equals - word >= IFNAMSIZ)
		die(word);
	(void)snprintf(port->name, sizeof(port->name), "%.*s", (int)(equals - word), word);
	if (inet_pton(AF_INET, equals + 1, &port->address) != 1)
		die(word);
	port->fd = open_device(port->name);
	net.port_count++;
}

static bool find_port(const char *name, size_t *index_out)
{
	for (size_t i = 0; i < net.port_count; i++) {
		if (strcmp(net.ports[i].name, name) == 0) {
			*index_out = i;
			return true;
		}
	}
	return false;
}

/* --- packets that wait --- */

static bool is_earlier(const struct packet *a, const struct packet *b)
{
	return a->due_mono_us != b->due_mono_us ? a->due_mono_us < b->due_mono_us : a->sequence < b->sequence;
}

static void swap_packets(size_t i, size_t j)
{
	struct packet held = net.heap[i];

	net.heap[i] = net.heap[j];
	net.heap[j] = held;
}

static void wait_for_turn(struct packet packet)
{
	size_t at = net.heap_count;

	if (at == PACKETS_WAITING_MAX) {
		free(packet.bytes); /* a full queue drops, like any switch's */
		return;
	}
	net.heap[net.heap_count++] = packet;
	while (at > 0 && is_earlier(&net.heap[at], &net.heap[(at - 1) / 2])) {
		swap_packets(at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static struct packet take_first(void)
{
	struct packet first = net.heap[0];
	size_t at = 0;

	net.heap[0] = net.heap[--net.heap_count];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < net.heap_count && is_earlier(&net.heap[child], &net.heap[least]))
				least = child;
		}
		if (least == at)
			return first;
		swap_packets(at, least);
		at = least;
	}
}

/* A device whose queue is full, or that is gone with its namespace, loses the packet. */
static void deliver(size_t port_index, const uint8_t *bytes, size_t size_bytes)
{
	(void)!write(net.ports[port_index].fd, bytes, size_bytes);
}

static void deliver_due(void)
{
	uint64_t now = now_mono_us();

	while (net.heap_count > 0 && net.heap[0].due_mono_us <= now) {
		struct packet packet = take_first();

		deliver(packet.port_index, packet.bytes, packet.size_bytes);
		free(packet.bytes);
	}
}

/* --- links --- */

static bool by_chance(uint32_t per_million)
{
	return per_million > 0 && rng_below(&net.rng, MILLION) < per_million;
}

static void send_later(const struct link *link, size_t to, const uint8_t *bytes, size_t size_bytes)
{
	struct packet packet = { .due_mono_us = now_mono_us() + link->delay_us,
				 .sequence = net.next_sequence++,
				 .port_index = to,
				 .size_bytes = size_bytes,
				 .bytes = malloc(size_bytes) };

	CHECK(packet.bytes != NULL);
	memcpy(packet.bytes, bytes, size_bytes);
	if (link->jitter_us > 0)
		packet.due_mono_us += rng_below(&net.rng, link->jitter_us);
	wait_for_turn(packet);
}

static void send_over(const struct link *link, size_t to, const uint8_t *bytes, size_t size_bytes)
{
	if (by_chance(link->loss_per_million))
		return;
	if (link->delay_us == 0 && link->jitter_us == 0)
		deliver(to, bytes, size_bytes);
	else
		send_later(link, to, bytes, size_bytes);
}

static void forward(size_t from, const uint8_t *bytes, size_t size_bytes)
{
	if (size_bytes < IPV4_HEADER_SIZE || bytes[0] >> 4 != 4)
		return; /* neighbour discovery of IPv6 and the like */
	for (size_t to = 0; to < net.port_count; to++) {
		const struct link *link = &net.links[from][to];

		if (memcmp(bytes + IPV4_DESTINATION_AT, &net.ports[to].address, sizeof(struct in_addr)) != 0)
			continue;
		send_over(link, to, bytes, size_bytes);
		if (by_chance(link->duplicate_per_million))
			send_over(link, to, bytes, size_bytes);
	}
}

static void read_port(size_t index)
{
	static uint8_t bytes[PACKET_SIZE_MAX];

	for (int i = 0; i < READS_PER_TURN_MAX; i++) {
		ssize_t size = read(net.ports[index].fd, bytes, sizeof(bytes));

		if (size <= 0)
			return;
		forward(index, bytes, (size_t)size);
	}
}

/* --- commands --- */

static bool obey(const char *line)
{
	char from_name[IFNAMSIZ];
	char to_name[IFNAMSIZ];
	struct link link;
	size_t from;
	size_t to;

	if (strcmp(line, "heal") == 0) {
		memset(net.links, 0, sizeof(net.links));
		return true;
	}
	if (sscanf(line, "link %15s %15s %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, from_name, to_name,
		   &link.loss_per_million, &link.delay_us, &link.jitter_us, &link.duplicate_per_million) != 6)
		return false;
	if (!find_port(from_name, &from) || !find_port(to_name, &to))
		return false;
	net.links[from][to] = link;
	return true;
}

/* False at the end of the input. */
static bool read_commands(void)
{
	ssize_t size = read(STDIN_FILENO, net.line + net.line_size, sizeof(net.line) - net.line_size - 1);
	char *end;

	if (size <= 0)
		return false;
	net.line_size += (size_t)size;
	while ((end = memchr(net.line, '\n', net.line_size)) != NULL) {
		size_t used = (size_t)(end - net.line) + 1;

		*end = '\0';
		(void)puts(obey(net.line) ? "ok" : "what?");
		(void)fflush(stdout);
		memmove(net.line, net.line + used, net.line_size - used);
		net.line_size -= used;
	}
	return net.line_size < sizeof(net.line) - 1;
}

static int wait_ms(void)
{
	uint64_t now = now_mono_us();

	if (net.heap_count == 0)
		return -1;
	return net.heap[0].due_mono_us <= now ? 0 : (int)((net.heap[0].due_mono_us - now) / 1000 + 1);
}

static void run(void)
{
	struct pollfd waits[PORTS_MAX + 1];

	for (size_t i = 0; i < net.port_count; i++)
		waits[i] = (struct pollfd){ .fd = net.ports[i].fd, .events = POLLIN };
	waits[net.port_count] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	for (;;) {
		if (poll(waits, net.port_count + 1, wait_ms()) < 0 && errno != EINTR)
			die("poll");
		deliver_due();
		if (waits[net.port_count].revents != 0 && !read_commands())
			return;
		for (size_t i = 0; i < net.port_count; i++) {
			if (waits[i].revents != 0)
				read_port(i);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fprintf(stderr, "usage: chaos_switch SEED NAME=IPV4 ...\n");
		return 2;
	}
	rng_seed(&net.rng, strtoull(argv[1], NULL, 10));
	for (int i = 2; i < argc; i++)
		add_port(argv[i]);
	(void)puts("ready");
	(void)fflush(stdout);
	run();
	return 0;
}
