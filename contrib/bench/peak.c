/* peak PROGRAM...: runs it and prints the largest resident set of it and its waited-for descendants, in kB, on stderr. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int status = 0;
    struct rusage usage;
    pid_t child;
    if (argc < 2) return 125;
    child = fork();
    if (child == 0) { execvp(argv[1], argv + 1); _exit(127); }
    if (child < 0 || waitpid(child, &status, 0) < 0 || getrusage(RUSAGE_CHILDREN, &usage)) return 125;
    fprintf(stderr, "%ld\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
