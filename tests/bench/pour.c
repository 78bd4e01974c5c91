/* Delivers mails over LMTP (over SMTP, if it is to a port) in some sessions at once, and says how long each
 * was waited for.
 *
 *   pour <path | port of 127.0.0.1> <sessions> <file>
 *
 * The file has for each mail "<recipient> <octets>\n" and so many octets, ready for the wire: CRLF, dots
 * doubled, the final dot. MAIL, RCPT and DATA come in one write, as Postfix pipelines them. Prints one line
 * of JSON: the mails that were taken (250) and that were not, seconds, and microseconds from the final dot
 * to its answer at three quantiles. Exits with 1 if a session is lost; a server that says nothing for a
 * minute is one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000000, SESSIONS = 256, PATIENCE = 60, LINE = 1024 };

static struct { const char *recipient; int named; const char *text; int length; } mails[MOST];
static uint32_t waits[MOST]; /* microseconds */
static atomic_int next, taken, refused;
static int count, port;      /* port: of loopback; 0 for a Unix socket */
static const char *path;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void read_mails(const char *name)
{
    FILE *file = fopen(name, "rb");
    struct stat facts;
    if (!file || fstat(fileno(file), &facts))
        err(1, "%s", name);
    char *all = malloc(facts.st_size + 1), *at = all;
    if (!all || fread(all, 1, facts.st_size, file) != (size_t)facts.st_size)
        err(1, "%s", name);
    all[facts.st_size] = 0;
    while (at < all + facts.st_size && count < MOST) {
        char *space = strchr(at, ' '), *end = space ? strchr(space, '\n') : NULL;
        if (!end)
            errx(1, "%s: no mails", name);
        mails[count].recipient = at;
        mails[count].named = (int)(space - at);
        mails[count].text = end + 1;
        mails[count].length = atoi(space);
        at = end + 1 + mails[count++].length;
    }
    fclose(file);
}

static void say(int fd, const char *text, int length)
{
    for (ssize_t sent; length; text += sent, length -= sent)
        if ((sent = write(fd, text, length)) <= 0)
            err(1, "write");
}

/* Reads so many replies, the last lines of which have a space behind the code; the code of the last one. */
static int hear(FILE *peer, int replies)
{
    char line[LINE];
    while (replies) {
        if (!fgets(line, sizeof line, peer))
            errx(1, "the server hung up, or was silent for %d s", PATIENCE);
        replies -= strlen(line) > 3 && line[3] == ' ';
    }
    return atoi(line);
}

static int connected(void)
{
    struct sockaddr_un unix_name = {.sun_family = AF_UNIX};
    struct sockaddr_in host = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE};
    snprintf(unix_name.sun_path, sizeof unix_name.sun_path, "%s", path);
    if (port)
        host.sin_port = htons(port);
    struct sockaddr *name = port ? (struct sockaddr *)&host : (struct sockaddr *)&unix_name;
    int fd = socket(name->sa_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, name, port ? sizeof host : sizeof unix_name) < 0)
        err(1, "connect to %s", path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void *session(void *nothing)
{
    char text[LINE];
    int fd = connected();
    FILE *peer = fdopen(dup(fd), "r");
    hear(peer, 1);
    say(fd, port ? "EHLO bench.example.org\r\n" : "LHLO bench.example.org\r\n", 24);
    hear(peer, 1);
    for (int one; (one = atomic_fetch_add(&next, 1)) < count;) {
        int length = snprintf(text, sizeof text, "MAIL FROM:<>\r\nRCPT TO:<%.*s>\r\nDATA\r\n",
                              mails[one].named, mails[one].recipient);
        say(fd, text, length);
        if (hear(peer, 3) != 354) {
            atomic_fetch_add(&refused, 1);
            continue;
        }
        say(fd, mails[one].text, mails[one].length);
        int64_t since = now();
        int code = hear(peer, 1);
        waits[one] = now() - since;
        atomic_fetch_add(code == 250 ? &taken : &refused, 1);
    }
    fclose(peer);
    close(fd);
    return nothing;
}

static int by_size(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static uint32_t quantile(double share)
{
    int place = share * count;
    return waits[place < count ? place : count - 1];
}

int main(int words, char **word)
{
    pthread_t threads[SESSIONS];
    int sessions = words == 4 ? atoi(word[2]) : 0;
    if (sessions < 1 || sessions > SESSIONS)
        errx(2, "three arguments are needed; see the source");
    path = word[1];
    port = path[0] == '/' ? 0 : atoi(path);
    read_mails(word[3]);
    int64_t begin = now();
    for (int one = 0; one < sessions; one++)
        if (pthread_create(&threads[one], NULL, session, NULL))
            errx(1, "no thread");
    for (int one = 0; one < sessions; one++)
        pthread_join(threads[one], NULL);
    double seconds = (now() - begin) / 1e6;
    qsort(waits, count, sizeof *waits, by_size);
    printf("{\"taken\": %d, \"refused\": %d, \"seconds\": %.6f, \"p50\": %u, \"p99\": %u, \"p999\": %u}\n",
           taken, refused, seconds, quantile(.5), quantile(.99), quantile(.999));
    return 0;
}
