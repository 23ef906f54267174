/* entries: which functions of a program are entered, in the order of their first entry, over all processes that it makes.
 * entries LOW HIGH FUNCTIONS OUTPUT PROGRAM COMMAND...: FUNCTIONS has their addresses (hexadecimal, one in a line), OUTPUT gets
 * those that it does not have yet. PROGRAM is linked to a fixed address. Root, so that set-uid helpers keep their rights. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long low, size;
static unsigned char *text, *begins, *seen;
static char program[PATH_MAX];

static int memory_of(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    return open(path, O_RDWR);
}

static int runs_program(pid_t pid) {
    char path[64], exe[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t length = readlink(path, exe, sizeof exe - 1);
    if (length < 0) return 0;
    exe[length] = 0;
    return !strcmp(exe, program);
}

/* A breakpoint at the beginning of every function; forks inherit those that are left. */
static void plant(pid_t pid) {
    static int known;
    int fd = memory_of(pid);
    if (!known && pread(fd, text, size, low) == (ssize_t)size) known = 1;
    unsigned char *traps = malloc(size);
    memcpy(traps, text, size);
    for (unsigned long i = 0; i < size; i++)
        if (begins[i]) traps[i] = 0xcc;
    if (!known || pwrite(fd, traps, size, low) != (ssize_t)size) perror("entries: memory of the program");
    free(traps);
    close(fd);
}

static int entered(pid_t pid, FILE *out) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers)) return 0;
    unsigned long at = registers.rip - 1 - low;
    if (at >= size || !begins[at]) return 0;
    if (!seen[at]) fprintf(out, "%lx\n", low + at);
    seen[at] = 1;
    int fd = memory_of(pid);
    if (pwrite(fd, text + at, 1, low + at) != 1) perror("entries: breakpoint");
    close(fd);
    registers.rip = low + at;
    ptrace(PTRACE_SETREGS, pid, 0, &registers);
    return 1;
}

static void mark(const char *path, unsigned char *marks) {
    FILE *file = fopen(path, "r");
    unsigned long address;
    if (!file) return;
    while (fscanf(file, "%lx", &address) == 1)
        if (address - low < size) marks[address - low] = 1;
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    low = strtoul(argv[1], 0, 16), size = strtoul(argv[2], 0, 16) - low;
    text = malloc(size), begins = calloc(size, 1), seen = calloc(size, 1);
    mark(argv[3], begins), mark(argv[4], seen);
    FILE *out = fopen(argv[4], "a");
    if (!out || !realpath(argv[5], program)) return 2;
    int status, end = 0;
    pid_t first = fork();
    if (!first) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execvp(argv[6], argv + 6);
        _exit(127);
    }
    waitpid(first, &status, 0);
    ptrace(PTRACE_SETOPTIONS, first, 0,
           PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, first, 0, 0);
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == ECHILD) break;
        if (pid < 0) continue;
        if (!WIFSTOPPED(status)) {
            if (pid == first) end = status;
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16, pass = 0;
        if (event == PTRACE_EVENT_EXEC && runs_program(pid)) plant(pid);
        else if (event == 0 && signal == SIGTRAP) pass = entered(pid, out) ? 0 : SIGTRAP;
        else if (event == 0 && signal != SIGSTOP) pass = signal;
        ptrace(PTRACE_CONT, pid, 0, pass);
    }
    fclose(out);
    return WIFEXITED(end) ? WEXITSTATUS(end) : 1;
}
