/* The hand-overs of one client's put on three nodes and nothing else: how long a put would take if all
 * work but its messages and appends were for nothing.
 *
 *     chain_sync FOLDER MILLISECONDS BYTES
 *
 * Five processes with TCP connections on the loopback address, each asleep in epoll_wait(2) until something
 * comes: client, coordinator, leader, two followers.  A request of BYTES goes from the client to the
 * coordinator, to the leader and to both followers; the leader and each follower append it to a file and
 * fdatasync it.  When the leader has synced and one follower has answered, a short answer goes back the same
 * way.
 *
 * Prints JSON (sync_samples.h).  Ends early after a million requests.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/sync_samples.h"

enum {
	SIZE_MAX_BYTES = 60 * 1024,
	ANSWER_SIZE = 64,
	FOLLOWERS = 2,
	SERVERS = FOLLOWERS + 2,
	NEAR = 0,
	FAR = 1
};

/* Connections; of each, the end nearer to the client and the other one. */
struct chain {
	int client[2];
	int leader[2];
	int follower[FOLLOWERS][2];
	const char *folder;
	size_t size; /* of a request */
};

static struct sync_samples samples;
static char bytes[SIZE_MAX_BYTES];

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

/* --- connections --- */

static void connect_pair(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	must(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	ends[NEAR] = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(ends[NEAR], (struct sockaddr *)&address, size) == 0, "connect");
	ends[FAR] = accept(listener, NULL, NULL);
	must(ends[FAR] >= 0, "accept");
	for (int i = 0; i < 2; i++)
		must(setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "TCP_NODELAY");
	(void)close(listener);
}

static int watch(const int *sockets, int count)
{
	int poll = epoll_create1(0);

	must(poll >= 0, "epoll_create1");
	for (int i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = sockets[i] };

		must(epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &event) == 0, "epoll_ctl");
	}
	return poll;
}

/* Wait once and read once; how much came. */
static size_t receive(int poll)
{
	struct epoll_event event;
	ssize_t size;

	must(epoll_wait(poll, &event, 1, -1) == 1, "epoll_wait");
	size = read(event.data.fd, bytes, sizeof(bytes));
	must(size > 0, "read");
	return (size_t)size;
}

static void receive_all(int poll, size_t size)
{
	for (size_t got = 0; got < size;)
		got += receive(poll);
}

static void send_all(int socket, size_t size)
{
	must(write(socket, bytes, size) == (ssize_t)size, "write");
}

static int open_log(const struct chain *chain, int number)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/chain-%d", chain->folder, number);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	must(fd >= 0, path);
	(void)unlink(path); /* it goes with the process */
	return fd;
}

static void append(int fd, size_t size)
{
	send_all(fd, size);
	must(fdatasync(fd) == 0, "fdatasync");
}

/* --- who stands in the chain --- */

static void be_coordinator(const struct chain *chain)
{
	int from_client = watch(&chain->client[FAR], 1);
	int from_leader = watch(&chain->leader[NEAR], 1);

	for (;;) {
		receive_all(from_client, chain->size);
		send_all(chain->leader[NEAR], chain->size);
		receive_all(from_leader, ANSWER_SIZE);
		send_all(chain->client[FAR], ANSWER_SIZE);
	}
}

static void be_leader(const struct chain *chain)
{
	int from_coordinator = watch(&chain->leader[FAR], 1);
	int followers[FOLLOWERS] = { chain->follower[0][NEAR], chain->follower[1][NEAR] };
	int from_followers = watch(followers, FOLLOWERS);
	int log = open_log(chain, FOLLOWERS);
	size_t answered = 0; /* bytes, of all requests */

	for (size_t request = 0;; request++) {
		receive_all(from_coordinator, chain->size);
		for (int i = 0; i < FOLLOWERS; i++)
			send_all(followers[i], chain->size);
		append(log, chain->size);
		/* All of the requests before, and one of this. */
		while (answered < (FOLLOWERS * request + 1) * ANSWER_SIZE)
			answered += receive(from_followers);
		send_all(chain->leader[FAR], ANSWER_SIZE);
	}
}

static void be_follower(const struct chain *chain, int number)
{
	int socket = chain->follower[number][FAR];
	int from_leader = watch(&socket, 1);
	int log = open_log(chain, number);

	for (;;) {
		receive_all(from_leader, chain->size);
		append(log, chain->size);
		send_all(socket, ANSWER_SIZE);
	}
}

static void be_client(const struct chain *chain, uint64_t run_us)
{
	int from_coordinator = watch(&chain->client[NEAR], 1);

	samples.start_us = sync_samples_now_us();
	for (uint64_t at_us = samples.start_us;
	     at_us < samples.start_us + run_us && samples.count < SYNC_SAMPLES_MAX;) {
		uint64_t end_us;

		send_all(chain->client[NEAR], chain->size);
		receive_all(from_coordinator, ANSWER_SIZE);
		end_us = sync_samples_now_us();
		samples.took_us[samples.count++] = (uint32_t)(end_us - at_us);
		at_us = end_us;
	}
}

static pid_t start(const struct chain *chain, int number)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid > 0)
		return pid;
	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
	if (number < FOLLOWERS)
		be_follower(chain, number);
	else if (number == FOLLOWERS)
		be_leader(chain);
	else
		be_coordinator(chain);
	exit(1);
}

static void run(struct chain *chain, uint64_t run_us)
{
	pid_t servers[SERVERS];

	connect_pair(chain->client);
	connect_pair(chain->leader);
	for (int i = 0; i < FOLLOWERS; i++)
		connect_pair(chain->follower[i]);
	for (int i = 0; i < SERVERS; i++)
		servers[i] = start(chain, i);
	be_client(chain, run_us);
	sync_samples_print(&samples);
	for (int i = 0; i < SERVERS; i++) {
		(void)kill(servers[i], SIGKILL);
		(void)waitpid(servers[i], NULL, 0);
	}
}

int main(int argc, char **argv)
{
	unsigned long run_ms = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	struct chain chain = { .size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0 };

	if (run_ms == 0 || chain.size == 0 || chain.size > SIZE_MAX_BYTES) {
		(void)fputs("usage: chain_sync FOLDER MILLISECONDS BYTES\n", stderr);
		return 2;
	}
	chain.folder = argv[1];
	memset(bytes, 'a', sizeof(bytes));
	run(&chain, run_ms * 1000);
	return 0;
}
