/* Asks a lookup server as fast as it answers, over Postfix's socketmap or its tcp_table, and says how that
 * went.
 *
 *   load <path | host:port> <socketmap | tcp_table> <connections> <depth> <seconds> <question>
 *
 * Each connection has <depth> questions under way all the time; a depth of 0 is a new connection for each
 * one. A # in the question is a number that changes from question to question. Beyond the time what is under
 * way is waited for. Prints one line of JSON: answers, wrong ones, seconds, and microseconds of waiting at
 * three quantiles. Exits with 1 if a connection is lost or nothing comes for 30 s.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { QUESTIONS = 4096, LONGEST = 512, DEEPEST = 64, PATIENCE = 30000, ROOM = 65536, MOST = 1024 };

struct connection {
    int fd, held;                /* octets of an answer that is not complete */
    unsigned asked, answered;
    int64_t since[DEEPEST];      /* when each question that is under way was asked */
    char buffer[ROOM];
};

static struct { char text[LONGEST]; int length; } questions[QUESTIONS];
static struct connection peers[MOST];
static uint32_t *waits;          /* nanoseconds / 16: up to a minute */
static size_t answers, room, wrong, under_way, next_question;
static const char *address;
static bool netstrings;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int connected(void)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in host = {.sin_family = AF_INET};
    struct sockaddr *name = (struct sockaddr *)&path;
    socklen_t length = sizeof path;
    const char *colon = strrchr(address, ':');
    if (address[0] == '/') {
        snprintf(path.sun_path, sizeof path.sun_path, "%s", address);
    } else {
        char digits[64] = "";
        if (colon)
            snprintf(digits, sizeof digits, "%.*s", (int)(colon - address), address);
        if (!colon || inet_pton(AF_INET, digits, &host.sin_addr) != 1)
            errx(1, "not a path nor host:port: %s", address);
        host.sin_port = htons(atoi(colon + 1));
        name = (struct sockaddr *)&host;
        length = sizeof host;
    }
    int fd = socket(name->sa_family, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || connect(fd, name, length) < 0)
        err(1, "connect to %s", address);
    if (name->sa_family == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void prepare(const char *pattern)
{
    const char *hole = strchr(pattern, '#');
    for (int number = 0; number < QUESTIONS; number++) {
        char plain[LONGEST - 16];
        int before = hole ? (int)(hole - pattern) : (int)strlen(pattern), length;
        length = hole ? snprintf(plain, sizeof plain, "%.*s%d%s", before, pattern, number + 1, hole + 1)
                      : snprintf(plain, sizeof plain, "%s", pattern);
        questions[number].length = netstrings
            ? snprintf(questions[number].text, LONGEST, "%d:%s,", length, plain)
            : snprintf(questions[number].text, LONGEST, "%s\n", plain);
    }
}

/* So many questions more, in one write. */
static void ask(struct connection *peer, unsigned count)
{
    char text[DEEPEST * LONGEST];
    int length = 0;
    int64_t at = now();
    for (unsigned one = 0; one < count; one++) {
        int number = next_question++ % QUESTIONS;
        memcpy(text + length, questions[number].text, questions[number].length);
        length += questions[number].length;
        peer->since[peer->asked++ % DEEPEST] = at;
    }
    under_way += count;
    if (write(peer->fd, text, length) != length)
        err(1, "write");
}

static void note(struct connection *peer, const char *answer)
{
    if (answers == room && !(waits = realloc(waits, (room = room * 2 + 65536) * sizeof *waits)))
        err(1, "memory");
    waits[answers++] = (now() - peer->since[peer->answered++ % DEEPEST]) / 16;
    wrong += memcmp(answer, netstrings ? "OK " : "200 ", netstrings ? 3 : 4) != 0;
    under_way--;
}

/* The octets of the first answer in there, with its frame; 0 if it is not complete. */
static int whole(const char *text, int length, const char **answer)
{
    *answer = text;
    if (!netstrings) {
        const char *end = memchr(text, '\n', length);
        return end ? (int)(end - text) + 1 : 0;
    }
    const char *colon = memchr(text, ':', length);
    if (!colon)
        return 0;
    *answer = colon + 1;
    int size = (int)(colon - text) + 1 + atoi(text) + 1;
    return size <= length ? size : 0;
}

/* How many answers came. */
static unsigned hear(struct connection *peer)
{
    ssize_t got = read(peer->fd, peer->buffer + peer->held, ROOM - peer->held);
    if (got <= 0)
        errx(1, "the server hung up: %s", got < 0 ? strerror(errno) : "end of file");
    unsigned came = 0;
    int start = 0, size;
    const char *answer;
    peer->held += got;
    while ((size = whole(peer->buffer + start, peer->held - start, &answer))) {
        note(peer, answer);
        start += size;
        came++;
    }
    memmove(peer->buffer, peer->buffer + start, peer->held -= start);
    return came;
}

static void kept(unsigned connections, unsigned depth, int64_t end)
{
    struct epoll_event events[64];
    int poll = epoll_create1(0);
    for (unsigned one = 0; one < connections; one++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &peers[one]};
        epoll_ctl(poll, EPOLL_CTL_ADD, peers[one].fd, &wanted);
        ask(&peers[one], depth);
    }
    while (under_way) {
        int ready = epoll_wait(poll, events, 64, PATIENCE);
        if (ready <= 0)
            errx(1, "no answer for %d s", PATIENCE / 1000);
        for (int one = 0; one < ready; one++) {
            unsigned came = hear(events[one].data.ptr);
            if (came && now() < end)
                ask(events[one].data.ptr, came);
        }
    }
}

static void fresh(int64_t end)
{
    struct connection *peer = &peers[0];
    do {
        int64_t at = now();
        peer->fd = connected();
        ask(peer, 1);
        peer->since[(peer->asked - 1) % DEEPEST] = at; /* connecting is part of it */
        while (under_way)
            hear(peer);
        close(peer->fd);
    } while (now() < end);
}

static int by_size(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static double quantile(double share)
{
    size_t place = share * answers;
    return waits[place < answers ? place : answers - 1] * 16 / 1e3;
}

int main(int count, char **words)
{
    if (count != 7)
        errx(2, "six arguments are needed; see the source");
    address = words[1];
    netstrings = !strcmp(words[2], "socketmap");
    unsigned connections = atoi(words[3]), depth = atoi(words[4]);
    if (connections < 1 || connections > MOST || depth > DEEPEST)
        errx(2, "1 to %d connections, 0 to %d deep", MOST, DEEPEST);
    prepare(words[6]);
    for (unsigned one = 0; depth && one < connections; one++) { /* ready for each before it counts */
        peers[one].fd = connected();
        ask(&peers[one], 1);
        while (under_way)
            hear(&peers[one]);
    }
    answers = wrong = 0;
    int64_t begin = now(), end = begin + (int64_t)(atof(words[5]) * 1e9);
    if (depth)
        kept(connections, depth, end);
    else
        fresh(end);
    double seconds = (now() - begin) / 1e9;
    qsort(waits, answers, sizeof *waits, by_size);
    printf("{\"answers\": %zu, \"wrong\": %zu, \"seconds\": %.6f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f}\n",
           answers, wrong, seconds, quantile(.5), quantile(.99), quantile(.999));
    return 0;
}
