/* floor: what a rootless container start costs without an engine. One clone with all namespaces, the id map by
 * newuidmap and newgidmap side by side, overlay, proc, sys, dev, pivot_root, exec. No checks, no state, no output.
 * floor ROOTFS UPPER WORK UID SUBUID GID SUBGID COUNT PROGRAM...   ("single" instead of COUNT: no helper programs) */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) { perror(what); _exit(125); }
static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
    close(fd);
}

int main(int argc, char **argv) {
    if (argc < 10) { fprintf(stderr, "floor: see the source\n"); return 125; }
    char *root = argv[1], *upper = argv[2], *work = argv[3], *uid = argv[4], *subuid = argv[5], *gid = argv[6],
         *subgid = argv[7], *count = argv[8];
    int single = !strcmp(count, "single"), go[2];
    if (pipe2(go, O_CLOEXEC)) die("pipe");
    int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    pid_t child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (child < 0) die("clone");
    if (child == 0) {
        char c, options[8192];
        close(go[1]);
        if (read(go[0], &c, 1) != 1) _exit(125);
        snprintf(options, sizeof options, "userxattr,lowerdir=%s,upperdir=%s,workdir=%s", root, upper, work);
        if (mount("overlay", upper, "overlay", 0, options)) die("overlay");
        if (chdir(upper)) die("chdir");
        if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0)) die("proc");
        if (mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, 0)) die("sysfs");
        if (mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755")) die("dev");
        const char *nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
        for (int i = 0; i < 6; i++) {
            char from[64], to[64];
            snprintf(from, 64, "/dev/%s", nodes[i]);
            snprintf(to, 64, "dev/%s", nodes[i]);
            close(open(to, O_CREAT | O_WRONLY, 0666));
            if (mount(from, to, 0, MS_BIND, 0)) die(from);
        }
        if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/")) die("pivot_root");
        execv(argv[9], argv + 9);
        die(argv[9]);
    }
    if (single) {
        char path[64], map[64];
        snprintf(path, 64, "/proc/%d/setgroups", child), put(path, "deny");
        snprintf(path, 64, "/proc/%d/uid_map", child), snprintf(map, 64, "0 %s 1", uid), put(path, map);
        snprintf(path, 64, "/proc/%d/gid_map", child), snprintf(map, 64, "0 %s 1", gid), put(path, map);
    } else {
        char pid[16];
        snprintf(pid, 16, "%d", child);
        pid_t u = fork();
        if (!u) { execlp("newuidmap", "newuidmap", pid, "0", uid, "1", "1", subuid, count, (char *)0); die("newuidmap"); }
        pid_t g = fork();
        if (!g) { execlp("newgidmap", "newgidmap", pid, "0", gid, "1", "1", subgid, count, (char *)0); die("newgidmap"); }
        int status;
        if (waitpid(u, &status, 0) < 0 || status || waitpid(g, &status, 0) < 0 || status) return 125;
    }
    if (write(go[1], "g", 1) != 1) die("go");
    int status;
    if (waitpid(child, &status, 0) < 0) die("wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
