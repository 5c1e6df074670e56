/* The listening socket that all loops share. */
#include "internal.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    ADDRESS_MAX = 256,
    DRAIN_LOOK_MS = 10,   /* between two looks at the queue */
    DRAIN_LOOKS = 100,    /* at most */
    DRAIN_LOOKS_EMPTY = 5 /* in a row: handshakes that had begun are through by then */
};

static void free_addresses(struct addrinfo **addresses) {
    if (*addresses != NULL)
        freeaddrinfo(*addresses);
}

/* "host:port" or "[host]:port" into two texts inside `text`. */
static bool split_address(char text[ADDRESS_MAX], char **ret_host, char **ret_port) {
    char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strtol(colon + 1, NULL, 10) > 65535)
        return false;
    *colon = '\0';
    *ret_port = colon + 1;
    *ret_host = text;
    if (text[0] == '[') {
        if (colon[-1] != ']')
            return false;
        colon[-1] = '\0';
        *ret_host = text + 1;
    } else if (strchr(text, ':') != NULL) {
        return false;
    }
    return **ret_host != '\0';
}

static int open_socket(const struct addrinfo *address) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

enum err listen_open(const char *address, int *ret_fd, struct problem *problem) {
    char text[ADDRESS_MAX];
    char *host, *port;
    int length = snprintf(text, sizeof text, "%s", address);
    if (length >= ADDRESS_MAX || !split_address(text, &host, &port))
        return problem_set(problem, ERR_INVALID_PARAMETER,
                           "\"%s\" is not an address to listen on, such as 127.0.0.1:8080 or "
                           "[::1]:8080",
                           address);
    __attribute__((cleanup(free_addresses))) struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    int failure = getaddrinfo(host, port, &hints, &found);
    if (failure != 0) {
        found = NULL;
        return problem_set(problem, ERR_INVALID_PARAMETER, "cannot listen on %s: %s", address,
                           gai_strerror(failure));
    }
    int fd = open_socket(found);
    if (fd < 0)
        return problem_set(problem, ERR_UNAVAILABLE, "cannot listen on %s: %s", address,
                           strerror(errno));
    *ret_fd = fd;
    return ERR_OK;
}

char *listen_url(int fd, const char *scheme) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return NULL;
    bool ipv6 = strchr(host, ':') != NULL;
    size_t size = strlen(scheme) + strlen(host) + strlen(port) + sizeof "://[]:";
    char *url = malloc(size);
    if (url != NULL)
        snprintf(url, size, "%s://%s%s%s:%s", scheme, ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
    return url;
}

/* Closing a listening socket resets the connections in its queue, whose clients may have sent
 * requests already. So the kernel first drops packets that would begin a connection (the client
 * repeats them, and then meets our successor or a refusal), while handshakes under way finish. */
static void refuse_new_connections(int fd) {
    enum { TCP_FLAGS_OFFSET = 13, SYN = 0x02, ACK = 0x10 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_OFFSET),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    /* Where the kernel has no filters a moment's risk remains; stopping goes on. */
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static bool queue_is_empty(int fd) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    /* Of a listening socket this member is the number of connections not yet accepted. */
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || info.tcpi_unacked == 0;
}

void listen_drain(int fd) {
    refuse_new_connections(fd);
    int empty = 0;
    for (int look = 0; look < DRAIN_LOOKS && empty < DRAIN_LOOKS_EMPTY; look++) {
        nanosleep(&(struct timespec){.tv_nsec = DRAIN_LOOK_MS * 1000000L}, NULL);
        empty = queue_is_empty(fd) ? empty + 1 : 0;
    }
}
