# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_sampan_global_optspecs
    string join \n root= runroot= storage-driver= storage-opt= cgroup-manager= log-level= h/help V/version
end

function __fish_sampan_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_sampan_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_sampan_using_subcommand
    set -l cmd (__fish_sampan_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c sampan -n "__fish_sampan_needs_command" -l root -d 'Directory of images, containers and volumes' -r -F
complete -c sampan -n "__fish_sampan_needs_command" -l runroot -d 'Directory of what can be rebuilt: state of running containers, sockets, locks' -r -F
complete -c sampan -n "__fish_sampan_needs_command" -l storage-driver -d 'How a root file system is put together: overlay, fuse-overlayfs or copy' -r
complete -c sampan -n "__fish_sampan_needs_command" -l storage-opt -d 'Option of the store, may be repeated: additionalimagestore=PATH, a store whose images may be used and are never written; sync=none, images that are stored are left to the kernel\'s writeback, and a power cut may damage them (default: sync=filesystem)' -r
complete -c sampan -n "__fish_sampan_needs_command" -l cgroup-manager -d 'Who makes the cgroups of containers: cgroupfs or systemd. Sampan takes what the host offers (sampan info); another wish is refused' -r -f -a "cgroupfs\t''
systemd\t''"
complete -c sampan -n "__fish_sampan_needs_command" -l log-level -d 'Messages on stderr: trace, debug, info, warn, error' -r
complete -c sampan -n "__fish_sampan_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_needs_command" -s V -l version -d 'Print version'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "attach" -d 'Joins the streams of a running container'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "completion" -d 'Prints the script that completes commands in a shell'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "create" -d 'Makes a container without starting it, and prints its id'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "cp" -d 'Copies files between a container and the host'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "diff" -d 'Shows what a container or an image changed'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "exec" -d 'Runs another program in a running container'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "export" -d 'Writes the root file system of a container to a tar'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "gc" -d 'Removes images that have not been used for long, and what nothing refers to'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "history" -d 'Shows how an image was made, newest step first'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "images" -d 'Lists images, newest first, one line for each name'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "import" -d 'Makes an image of a root file system in a tar'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "info" -d 'Shows what this host and this store are'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "inspect" -d 'Shows everything about containers, images and volumes'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "kill" -d 'Sends a signal to running containers; after SIGKILL waits until they have ended'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "load" -d 'Takes images in from an archive'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "login" -d 'Logs in at a registry, and keeps the credentials'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "logout" -d 'Forgets the credentials for a registry'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "logs" -d 'Shows what containers have written'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "mount" -d 'Mounts the root file system of containers and prints where; without a container, lists those that are mounted'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "pause" -d 'Freezes every process of running containers (needs a delegated cgroup v2)'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "port" -d 'Shows published ports'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "ps" -d 'Lists containers'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "pull" -d 'Fetches images from a registry, an archive or a directory'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "push" -d 'Sends an image to a registry, an archive or a directory'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "rename" -d 'Gives a container another name'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "restart" -d 'Stops containers and starts them again; one that does not run is started'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "rm" -d 'Removes containers that do not run'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "rmi" -d 'Removes images, or names of them'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "run" -d 'Makes a container, starts it and stays attached to it'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "save" -d 'Writes images to an archive or a directory'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "search" -d 'Searches registries for images'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "start" -d 'Starts containers that do not run'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "stop" -d 'Stops containers: the stop signal, then after a while SIGKILL'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "tag" -d 'Gives an image further names'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "unmount" -d 'Takes mounts of containers away'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "umount" -d 'Takes mounts of containers away'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "unpause" -d 'Lets paused containers go on'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "unshare" -d 'Runs a program in the user namespace of containers, with a mount namespace of its own'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "untag" -d 'Takes names away from an image. The image stays'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "version" -d 'Shows the version'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "wait" -d 'Waits for containers to end and prints their exit codes, one line each'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "container" -d 'Looks after containers'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "healthcheck" -d 'Looks after the health of containers'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "image" -d 'Looks after images'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "manifest" -d 'Looks after manifest lists: one name for images of several platforms'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "system" -d 'Looks after Sampan itself'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "volume" -d 'Looks after volumes'
complete -c sampan -n "__fish_sampan_using_subcommand attach" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand attach" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand attach" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand attach" -l no-stdin -d 'Do not pass input on'
complete -c sampan -n "__fish_sampan_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand completion" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l name -d 'Name of the container (default: two random words)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s e -l env -d 'Variable of the environment; NAME alone copies the caller\'s, PRE* every one that begins so' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l env-file -d 'File of variables, one NAME=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l env-host -d 'Pass the caller\'s whole environment on' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l unsetenv -d 'Remove a variable of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l http-proxy -d 'Pass the caller\'s proxy variables on (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l entrypoint -d 'Replace the image\'s entrypoint: a program, or a JSON array of strings; empty removes it' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s w -l workdir -d 'Working directory in the container' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -s u -l user -d 'User, by name or number, and group' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l group-add -d 'Supplementary group; keep-groups keeps the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s h -l hostname -d 'Host name (default: the first 12 digits of the id)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l init -d 'Run an init as process 1, which reaps and passes signals on' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s l -l label -d 'Label' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l label-file -d 'File of labels, one KEY=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l annotation -d 'OCI annotation' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l tz -d 'Time zone, or local for the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l umask -d 'Umask in octal (default 0022)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l restart -d 'When to start it again: no, on-failure[:MAX], always or unless-stopped; the last two not with --rm' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l stop-signal -d 'Signal that stops it (default SIGTERM, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l stop-timeout -d 'Seconds between the stop signal and SIGKILL (default 10)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l timeout -d 'Seconds after which it is killed. Its restart policy counts that as any other end' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l health-cmd -d 'Check that tells whether the container is healthy: a script, or a JSON array of a program and its arguments; none for no check' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l health-interval -d 'Time between two checks, or disable for checks by hand alone (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l health-retries -d 'Failures in a row that make it unhealthy (default 3, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l health-start-period -d 'Time after the start in which failures do not count (default 0s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l health-timeout -d 'Time after which a check is killed and has failed (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l health-on-failure -d 'What to do when it is unhealthy: none, kill, restart or stop' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cidfile -d 'Write the container\'s id to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l pidfile -d 'Write the pid of its first process to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l log-driver -d 'How output is logged: k8s-file or none' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l log-opt -d 'Option of the log: path, max-size, max-file or tag' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l pull -d 'When to pull the image: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -s v -l volume -d 'Bind a path of the host, or a volume' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l mount -d 'Mount: type=bind|volume|tmpfs|image, source=, target=, and options' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l tmpfs -d 'Mount a tmpfs' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l volumes-from -d 'Mount what another container has mounted; options: ro, rw, z' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l image-volume -d 'What becomes of the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l read-only -d 'Make the root file system read-only' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l read-only-tmpfs -d 'With --read-only: a tmpfs on /run, /tmp and /var/tmp (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l shm-size -d 'Size of /dev/shm (default 64m; 0: no limit)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l network -l net -d 'Network: private, none, host, pasta[:OPTIONS], slirp4netns[:OPTIONS], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s p -l publish -d 'Publish a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l expose -d 'Expose a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l dns -d 'Name server; none: leave /etc/resolv.conf as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l dns-search -d 'Domain that names are looked up in; . for none' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l dns-option -l dns-opt -d 'Option of resolv.conf(5)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l add-host -d 'Line of /etc/hosts; the address may be host-gateway' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l no-hosts -d 'Leave /etc/hosts as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s m -l memory -d 'Limit of memory, in bytes or with a unit' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l memory-swap -d 'Limit of memory and swap together; -1: no limit of swap' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l memory-reservation -d 'Memory that is left to the container under pressure' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cpus -d 'Number of processors, with decimals' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -s c -l cpu-shares -d 'Share of processor time, 1024 by default' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cpu-quota -d 'Microseconds of processor time in each period; -1: no limit' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cpu-period -d 'Length of the period in microseconds' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cpuset-cpus -d 'Processors that may be used: 0-3,5' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cpuset-mems -d 'Memory nodes that may be used' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l pids-limit -d 'Number of processes and threads; -1: no limit (default 2048)' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l ulimit -d 'Limit of setrlimit(2); host: all as they are here' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l oom-score-adj -d 'How readily the kernel kills it when memory runs out, -1000 to 1000' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cgroup-conf -d 'Write a file of the container\'s cgroup' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cgroups -d 'Whether to make cgroups: enabled, disabled, no-conmon or split' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cgroup-parent -d 'Cgroup in which the container\'s is made' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cgroupns -d 'Cgroup namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l userns -d 'User namespace: host, keep-id[:uid=,gid=,size=], nomap, auto[:size=], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l uidmap -d 'Map of user ids; FLAGS of + u g, and @ before an id of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l gidmap -d 'Map of group ids' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l pid -d 'Pid namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l ipc -d 'Ipc namespace: private, shareable, none, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l uts -d 'Uts namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cap-add -d 'Add a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l cap-drop -d 'Drop a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l security-opt -d 'seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, apparmor=, label=' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l device -d 'Bind a device of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l sysctl -d 'Parameter of the kernel that belongs to one of the container\'s own namespaces' -r
complete -c sampan -n "__fish_sampan_using_subcommand create" -l replace -d 'Remove a container that has the name already'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l unsetenv-all -d 'Remove every variable of the image'
complete -c sampan -n "__fish_sampan_using_subcommand create" -s i -l interactive -d 'Keep stdin open'
complete -c sampan -n "__fish_sampan_using_subcommand create" -s t -l tty -d 'Give the container a terminal'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l rootfs -d 'Take the first argument as the path of a root file system, not as an image'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l rm -d 'Remove the container and its anonymous volumes after it has ended'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l no-healthcheck -d 'Ignore the image\'s health check'
complete -c sampan -n "__fish_sampan_using_subcommand create" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand create" -s P -l publish-all -d 'Publish every exposed port on a random one'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l privileged -d 'Give every capability and device that this user has, and take the masks off'
complete -c sampan -n "__fish_sampan_using_subcommand create" -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand cp" -s a -l archive -d 'What comes into a container belongs to the container\'s user. With false owners stay: the caller is root, who has no subordinate id is nobody, and a container\'s or a tar\'s numbers are the same in the other' -r
complete -c sampan -n "__fish_sampan_using_subcommand cp" -l overwrite -d 'A file may replace a directory, and a directory a file'
complete -c sampan -n "__fish_sampan_using_subcommand cp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand diff" -l format -d 'Form of the output: `json`' -r -f -a "json\t''"
complete -c sampan -n "__fish_sampan_using_subcommand diff" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand exec" -l cidfile -d 'File with the id of the container, as --cidfile of run wrote it: then no container is named' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand exec" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s e -l env -d 'Variable of the environment; NAME alone copies the caller\'s, PRE* every one that begins so' -r
complete -c sampan -n "__fish_sampan_using_subcommand exec" -l env-file -d 'File of variables, one NAME=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s u -l user -d 'User, by name or number, and group' -r
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s w -l workdir -d 'Working directory in the container' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s d -l detach -d 'Run it in the background and print the id of the session'
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s i -l interactive -d 'Keep stdin open'
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s l -l latest -d 'The container that was made last: then no container is named'
complete -c sampan -n "__fish_sampan_using_subcommand exec" -l privileged -d 'Give the program every capability of the container\'s user namespace'
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s t -l tty -d 'Give the program a terminal'
complete -c sampan -n "__fish_sampan_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand export" -s o -l output -d 'File to write; standard output if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand gc" -l keep-size -d 'Images that no container uses go, longest unused first, until all images take at most this much of the disk' -r
complete -c sampan -n "__fish_sampan_using_subcommand gc" -l unused-for -d 'Images that no container uses and that were not used for so long: 36h, 30d, 2w' -r
complete -c sampan -n "__fish_sampan_using_subcommand gc" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand history" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand history" -s H -l human -d 'Dates for people: how long ago' -r
complete -c sampan -n "__fish_sampan_using_subcommand history" -l no-trunc -d 'Do not shorten ids and commands'
complete -c sampan -n "__fish_sampan_using_subcommand history" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand history" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand images" -s f -l filter -d 'Only images that match KEY=VALUE: id, digest, reference, reference!, label, label!, dangling, before, since, until, containers, intermediate, readonly, manifest' -r
complete -c sampan -n "__fish_sampan_using_subcommand images" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand images" -l sort -d 'Sort by created, id, repository, size or tag' -r -f -a "created\t''
id\t''
repository\t''
size\t''
tag\t''"
complete -c sampan -n "__fish_sampan_using_subcommand images" -s a -l all -d 'Also nameless images that others are built on'
complete -c sampan -n "__fish_sampan_using_subcommand images" -l digests -d 'Show digests'
complete -c sampan -n "__fish_sampan_using_subcommand images" -l history -d 'Show the names that the image has had'
complete -c sampan -n "__fish_sampan_using_subcommand images" -l no-trunc -d 'Do not shorten ids'
complete -c sampan -n "__fish_sampan_using_subcommand images" -s n -l noheading -d 'No headings'
complete -c sampan -n "__fish_sampan_using_subcommand images" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand images" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand import" -s c -l change -d 'Instruction that changes the configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR' -r
complete -c sampan -n "__fish_sampan_using_subcommand import" -s m -l message -d 'Comment in the history of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand import" -l arch -d 'Architecture of the image; this machine\'s if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand import" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand import" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand import" -s q -l quiet -d 'Say nothing while importing'
complete -c sampan -n "__fish_sampan_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand info" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand inspect" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand inspect" -s t -l type -d 'Kind of the objects: container, image, volume or all' -r -f -a "all\t''
container\t''
image\t''
volume\t''"
complete -c sampan -n "__fish_sampan_using_subcommand inspect" -s s -l size -d 'Count the bytes of containers'
complete -c sampan -n "__fish_sampan_using_subcommand inspect" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand kill" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand kill" -s s -l signal -d 'Signal by name or number' -r
complete -c sampan -n "__fish_sampan_using_subcommand kill" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand kill" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand kill" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand load" -s i -l input -d 'Archive file or directory; standard input if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand load" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand load" -s q -l quiet -d 'Say nothing while loading'
complete -c sampan -n "__fish_sampan_using_subcommand load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand login" -s u -l username -d 'Name of the user' -r
complete -c sampan -n "__fish_sampan_using_subcommand login" -s p -l password -d 'Password. Other users see it in the list of processes: better use --password-stdin' -r
complete -c sampan -n "__fish_sampan_using_subcommand login" -l authfile -d 'File to keep the credentials in' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand login" -l compat-auth-file -d 'Docker\'s configuration file to keep the credentials in' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand login" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand login" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand login" -l password-stdin -d 'Read the password from standard input'
complete -c sampan -n "__fish_sampan_using_subcommand login" -l get-login -d 'Print the name of the user who is logged in'
complete -c sampan -n "__fish_sampan_using_subcommand login" -s v -l verbose -d 'Say where the credentials are kept'
complete -c sampan -n "__fish_sampan_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand logout" -l authfile -d 'File to take the credentials out of' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand logout" -l compat-auth-file -d 'Docker\'s configuration file to take the credentials out of' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand logout" -s a -l all -d 'Forget the credentials for all registries'
complete -c sampan -n "__fish_sampan_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l since -d 'Only what was written since then: a time, Unix seconds, or a duration before now' -r
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l until -d 'Only what was written until then: a time, Unix seconds, or a duration after now, which ends --follow' -r
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l tail -d 'Only the last lines of each container (-1: all)' -r
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s f -l follow -d 'Go on until the containers end'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s n -l names -d 'Names instead of ids before the lines'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s t -l timestamps -d 'The time before each line'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l color -d 'A colour for each container'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand mount" -l format -d 'Form of the output: `json`' -r -f -a "json\t''"
complete -c sampan -n "__fish_sampan_using_subcommand mount" -s a -l all -d 'Mount all containers'
complete -c sampan -n "__fish_sampan_using_subcommand mount" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand mount" -l no-trunc -d 'Print ids in full'
complete -c sampan -n "__fish_sampan_using_subcommand mount" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand pause" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand pause" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand pause" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand pause" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand pause" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand port" -s a -l all -d 'All running containers'
complete -c sampan -n "__fish_sampan_using_subcommand port" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand port" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s f -l filter -d 'Only those that pass: KEY=VALUE' -r
complete -c sampan -n "__fish_sampan_using_subcommand ps" -l format -d 'Form of the output: `json`, or a Go template; with the prefix `table` it has headings' -r
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s n -l last -d 'The last N that were made, running or not' -r
complete -c sampan -n "__fish_sampan_using_subcommand ps" -l sort -d 'Order: command, created, id, image, names, runningfor, size or status' -r
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s a -l all -d 'Those that do not run, too'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -l external -d 'Those that other programs made in this store, too. There are none: a store of Sampan is Sampan\'s alone'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -l ns -l namespace -d 'Show the namespaces of each container\'s first process'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -l no-trunc -d 'Print ids and commands in full'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -l noheading -d 'Print no headings'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s q -l quiet -d 'Print ids alone'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s s -l size -d 'Count the bytes that each container wrote'
complete -c sampan -n "__fish_sampan_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l policy -d 'When to pull: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand pull" -s a -l all-tags -d 'Pull every tag of the repository; one that cannot be had keeps none of the others back, and is an error in the end'
complete -c sampan -n "__fish_sampan_using_subcommand pull" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand push" -l digestfile -d 'File to write the digest of the manifest to' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand push" -l compression-format -d 'Compression of layers: gzip or zstd. Those that have another one are compressed anew' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -l compression-level -d 'Level of the compression: 1 to 9 for gzip, 1 to 20 for zstd. All layers are compressed anew' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -s f -l format -d 'Format of the manifest: oci or v2s2. As it is if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand push" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand push" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand push" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand push" -l all -d 'Of a list, push all its images'
complete -c sampan -n "__fish_sampan_using_subcommand push" -l force-compression -d 'Compress layers anew that have another compression than gzip, or than --compression-format says'
complete -c sampan -n "__fish_sampan_using_subcommand push" -s q -l quiet -d 'Say nothing while pushing'
complete -c sampan -n "__fish_sampan_using_subcommand push" -l remove-signatures -d 'Send no signatures. None are ever sent'
complete -c sampan -n "__fish_sampan_using_subcommand push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand rename" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand restart" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand restart" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand restart" -s t -l time -d 'Seconds until SIGKILL (default: the container\'s own, 10); 0: at once; -1: never' -r
complete -c sampan -n "__fish_sampan_using_subcommand restart" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand restart" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand restart" -l running -d 'Of these only the ones that run'
complete -c sampan -n "__fish_sampan_using_subcommand restart" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand rm" -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s t -l time -d 'With --force: seconds between the stop signal and SIGKILL' -r
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s f -l force -d 'Kill what runs; a container that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s i -l ignore -d 'A container that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s v -l volumes -d 'Its anonymous volumes, too'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -l depend -d 'The containers that share its namespaces, too'
complete -c sampan -n "__fish_sampan_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s a -l all -d 'Remove all images'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s f -l force -d 'Also if the image has several names, and with the containers that use it'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s i -l ignore -d 'An image that is not there is no error; --force implies it'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -l no-prune -d 'Keep the nameless images that these were built on'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand run" -s a -l attach -d 'Attach only to these: stdin, stdout, stderr' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l name -d 'Name of the container (default: two random words)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s e -l env -d 'Variable of the environment; NAME alone copies the caller\'s, PRE* every one that begins so' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l env-file -d 'File of variables, one NAME=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l env-host -d 'Pass the caller\'s whole environment on' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l unsetenv -d 'Remove a variable of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l http-proxy -d 'Pass the caller\'s proxy variables on (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l entrypoint -d 'Replace the image\'s entrypoint: a program, or a JSON array of strings; empty removes it' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s w -l workdir -d 'Working directory in the container' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -s u -l user -d 'User, by name or number, and group' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l group-add -d 'Supplementary group; keep-groups keeps the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s h -l hostname -d 'Host name (default: the first 12 digits of the id)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l init -d 'Run an init as process 1, which reaps and passes signals on' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s l -l label -d 'Label' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l label-file -d 'File of labels, one KEY=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l annotation -d 'OCI annotation' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l tz -d 'Time zone, or local for the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l umask -d 'Umask in octal (default 0022)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l restart -d 'When to start it again: no, on-failure[:MAX], always or unless-stopped; the last two not with --rm' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l stop-signal -d 'Signal that stops it (default SIGTERM, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l stop-timeout -d 'Seconds between the stop signal and SIGKILL (default 10)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l timeout -d 'Seconds after which it is killed. Its restart policy counts that as any other end' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l health-cmd -d 'Check that tells whether the container is healthy: a script, or a JSON array of a program and its arguments; none for no check' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l health-interval -d 'Time between two checks, or disable for checks by hand alone (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l health-retries -d 'Failures in a row that make it unhealthy (default 3, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l health-start-period -d 'Time after the start in which failures do not count (default 0s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l health-timeout -d 'Time after which a check is killed and has failed (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l health-on-failure -d 'What to do when it is unhealthy: none, kill, restart or stop' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cidfile -d 'Write the container\'s id to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l pidfile -d 'Write the pid of its first process to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l log-driver -d 'How output is logged: k8s-file or none' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l log-opt -d 'Option of the log: path, max-size, max-file or tag' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l pull -d 'When to pull the image: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -s v -l volume -d 'Bind a path of the host, or a volume' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l mount -d 'Mount: type=bind|volume|tmpfs|image, source=, target=, and options' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l tmpfs -d 'Mount a tmpfs' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l volumes-from -d 'Mount what another container has mounted; options: ro, rw, z' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l image-volume -d 'What becomes of the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l read-only -d 'Make the root file system read-only' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l read-only-tmpfs -d 'With --read-only: a tmpfs on /run, /tmp and /var/tmp (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l shm-size -d 'Size of /dev/shm (default 64m; 0: no limit)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l network -l net -d 'Network: private, none, host, pasta[:OPTIONS], slirp4netns[:OPTIONS], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s p -l publish -d 'Publish a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l expose -d 'Expose a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l dns -d 'Name server; none: leave /etc/resolv.conf as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l dns-search -d 'Domain that names are looked up in; . for none' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l dns-option -l dns-opt -d 'Option of resolv.conf(5)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l add-host -d 'Line of /etc/hosts; the address may be host-gateway' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l no-hosts -d 'Leave /etc/hosts as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s m -l memory -d 'Limit of memory, in bytes or with a unit' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l memory-swap -d 'Limit of memory and swap together; -1: no limit of swap' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l memory-reservation -d 'Memory that is left to the container under pressure' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cpus -d 'Number of processors, with decimals' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s c -l cpu-shares -d 'Share of processor time, 1024 by default' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cpu-quota -d 'Microseconds of processor time in each period; -1: no limit' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cpu-period -d 'Length of the period in microseconds' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cpuset-cpus -d 'Processors that may be used: 0-3,5' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cpuset-mems -d 'Memory nodes that may be used' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l pids-limit -d 'Number of processes and threads; -1: no limit (default 2048)' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l ulimit -d 'Limit of setrlimit(2); host: all as they are here' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l oom-score-adj -d 'How readily the kernel kills it when memory runs out, -1000 to 1000' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cgroup-conf -d 'Write a file of the container\'s cgroup' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cgroups -d 'Whether to make cgroups: enabled, disabled, no-conmon or split' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cgroup-parent -d 'Cgroup in which the container\'s is made' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cgroupns -d 'Cgroup namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l userns -d 'User namespace: host, keep-id[:uid=,gid=,size=], nomap, auto[:size=], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l uidmap -d 'Map of user ids; FLAGS of + u g, and @ before an id of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l gidmap -d 'Map of group ids' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l pid -d 'Pid namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l ipc -d 'Ipc namespace: private, shareable, none, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l uts -d 'Uts namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cap-add -d 'Add a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l cap-drop -d 'Drop a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l security-opt -d 'seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, apparmor=, label=' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l device -d 'Bind a device of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -l sysctl -d 'Parameter of the kernel that belongs to one of the container\'s own namespaces' -r
complete -c sampan -n "__fish_sampan_using_subcommand run" -s d -l detach -d 'Run it in the background and print its id'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l rmi -d 'Remove the container after it has ended (--rm), and then the image if no other container uses it'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l replace -d 'Remove a container that has the name already'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l unsetenv-all -d 'Remove every variable of the image'
complete -c sampan -n "__fish_sampan_using_subcommand run" -s i -l interactive -d 'Keep stdin open'
complete -c sampan -n "__fish_sampan_using_subcommand run" -s t -l tty -d 'Give the container a terminal'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l rootfs -d 'Take the first argument as the path of a root file system, not as an image'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l rm -d 'Remove the container and its anonymous volumes after it has ended'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l no-healthcheck -d 'Ignore the image\'s health check'
complete -c sampan -n "__fish_sampan_using_subcommand run" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand run" -s P -l publish-all -d 'Publish every exposed port on a random one'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l privileged -d 'Give every capability and device that this user has, and take the masks off'
complete -c sampan -n "__fish_sampan_using_subcommand run" -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand save" -l format -d 'Form of the archive: docker-archive, oci-archive, oci-dir or docker-dir' -r
complete -c sampan -n "__fish_sampan_using_subcommand save" -s o -l output -d 'File or directory to write; standard output if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand save" -l compress -d 'Compress plain layers with gzip; for docker-dir'
complete -c sampan -n "__fish_sampan_using_subcommand save" -s m -l multi-image-archive -d 'Take all arguments for images'
complete -c sampan -n "__fish_sampan_using_subcommand save" -s q -l quiet -d 'Say nothing while saving'
complete -c sampan -n "__fish_sampan_using_subcommand save" -l uncompressed -d 'Write layers without compression; those of a docker-archive are always so'
complete -c sampan -n "__fish_sampan_using_subcommand save" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand search" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand search" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand search" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand search" -s f -l filter -d 'Only some: stars=N, is-official[=BOOL], is-automated[=BOOL]' -r
complete -c sampan -n "__fish_sampan_using_subcommand search" -l format -d 'Form of the output: `json` or a Go template with .Index .Name .Description .Stars .Official .Automated .Tag' -r
complete -c sampan -n "__fish_sampan_using_subcommand search" -l limit -d 'Most results of each registry; 0 is the default' -r
complete -c sampan -n "__fish_sampan_using_subcommand search" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand search" -l compatible -d 'Show stars and marks, too'
complete -c sampan -n "__fish_sampan_using_subcommand search" -l list-tags -d 'List the tags of the repository TERM'
complete -c sampan -n "__fish_sampan_using_subcommand search" -l no-trunc -d 'Show whole descriptions'
complete -c sampan -n "__fish_sampan_using_subcommand search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand start" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand start" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand start" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand start" -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand start" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand start" -s a -l attach -d 'Attach to output'
complete -c sampan -n "__fish_sampan_using_subcommand start" -s i -l interactive -d 'Attach to input as well, if the container was made with --interactive or --tty'
complete -c sampan -n "__fish_sampan_using_subcommand start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand stop" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand stop" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand stop" -s t -l time -d 'Seconds until SIGKILL (default: the container\'s own, 10); 0: at once; -1: never' -r
complete -c sampan -n "__fish_sampan_using_subcommand stop" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand stop" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand stop" -s i -l ignore -d 'A container that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand stop" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand tag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand unmount" -s a -l all -d 'Unmount all containers'
complete -c sampan -n "__fish_sampan_using_subcommand unmount" -s f -l force -d 'Also while it is in use; an unmount here never waits, so that nothing is different'
complete -c sampan -n "__fish_sampan_using_subcommand unmount" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand unmount" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand umount" -s a -l all -d 'Unmount all containers'
complete -c sampan -n "__fish_sampan_using_subcommand umount" -s f -l force -d 'Also while it is in use; an unmount here never waits, so that nothing is different'
complete -c sampan -n "__fish_sampan_using_subcommand umount" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand umount" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand unpause" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand unpause" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand unpause" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand unpause" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand unpause" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand unshare" -l rootless-netns -d 'Also join the network namespace of rootless networks: refused, as there is none yet'
complete -c sampan -n "__fish_sampan_using_subcommand unshare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand untag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand version" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand wait" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand wait" -l condition -d 'Wait for this instead: created, running, paused, stopped, exited, removing, removed, healthy or unhealthy' -r
complete -c sampan -n "__fish_sampan_using_subcommand wait" -s i -l interval -d 'How often to look, where looking is what it takes' -r
complete -c sampan -n "__fish_sampan_using_subcommand wait" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand wait" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand wait" -l ignore -d 'For a container that is not there print -1, and no error'
complete -c sampan -n "__fish_sampan_using_subcommand wait" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "attach" -d 'Joins the streams of a running container'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "cp" -d 'Copies files between a container and the host'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "create" -d 'Makes a container without starting it, and prints its id'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "diff" -d 'Shows what a container changed of its image'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "exec" -d 'Runs another program in a running container'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "export" -d 'Writes the root file system of a container to a tar'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "exists" -d 'Ends with 0 if there is such a container, with 1 if not'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "inspect" -d 'Shows everything about containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "kill" -d 'Sends a signal to running containers; after SIGKILL waits until they have ended'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "list" -d 'Lists containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "ls" -d 'Lists containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "ps" -d 'Lists containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "logs" -d 'Shows what containers have written'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "mount" -d 'Mounts the root file system of containers and prints where; without a container, lists those that are mounted'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "pause" -d 'Freezes every process of running containers (needs a delegated cgroup v2)'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "port" -d 'Shows published ports'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "prune" -d 'Removes every container that does not run'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "rename" -d 'Gives a container another name'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "restart" -d 'Stops containers and starts them again; one that does not run is started'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "rm" -d 'Removes containers that do not run'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "run" -d 'Makes a container, starts it and stays attached to it'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "start" -d 'Starts containers that do not run'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "stop" -d 'Stops containers: the stop signal, then after a while SIGKILL'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "unmount" -d 'Takes mounts of containers away'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "umount" -d 'Takes mounts of containers away'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "unpause" -d 'Lets paused containers go on'
complete -c sampan -n "__fish_sampan_using_subcommand container; and not __fish_seen_subcommand_from attach cp create diff exec export exists inspect kill list ls ps logs mount pause port prune rename restart rm run start stop unmount umount unpause wait" -f -a "wait" -d 'Waits for containers to end and prints their exit codes, one line each'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from attach" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from attach" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from attach" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from attach" -l no-stdin -d 'Do not pass input on'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from cp" -s a -l archive -d 'What comes into a container belongs to the container\'s user. With false owners stay: the caller is root, who has no subordinate id is nobody, and a container\'s or a tar\'s numbers are the same in the other' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from cp" -l overwrite -d 'A file may replace a directory, and a directory a file'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from cp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l name -d 'Name of the container (default: two random words)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s e -l env -d 'Variable of the environment; NAME alone copies the caller\'s, PRE* every one that begins so' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l env-file -d 'File of variables, one NAME=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l env-host -d 'Pass the caller\'s whole environment on' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv -d 'Remove a variable of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l http-proxy -d 'Pass the caller\'s proxy variables on (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l entrypoint -d 'Replace the image\'s entrypoint: a program, or a JSON array of strings; empty removes it' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s w -l workdir -d 'Working directory in the container' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s u -l user -d 'User, by name or number, and group' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l group-add -d 'Supplementary group; keep-groups keeps the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s h -l hostname -d 'Host name (default: the first 12 digits of the id)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l init -d 'Run an init as process 1, which reaps and passes signals on' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s l -l label -d 'Label' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l label-file -d 'File of labels, one KEY=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l annotation -d 'OCI annotation' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l tz -d 'Time zone, or local for the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l umask -d 'Umask in octal (default 0022)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l restart -d 'When to start it again: no, on-failure[:MAX], always or unless-stopped; the last two not with --rm' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-signal -d 'Signal that stops it (default SIGTERM, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-timeout -d 'Seconds between the stop signal and SIGKILL (default 10)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l timeout -d 'Seconds after which it is killed. Its restart policy counts that as any other end' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l health-cmd -d 'Check that tells whether the container is healthy: a script, or a JSON array of a program and its arguments; none for no check' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l health-interval -d 'Time between two checks, or disable for checks by hand alone (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l health-retries -d 'Failures in a row that make it unhealthy (default 3, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l health-start-period -d 'Time after the start in which failures do not count (default 0s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l health-timeout -d 'Time after which a check is killed and has failed (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l health-on-failure -d 'What to do when it is unhealthy: none, kill, restart or stop' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cidfile -d 'Write the container\'s id to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l pidfile -d 'Write the pid of its first process to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l log-driver -d 'How output is logged: k8s-file or none' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l log-opt -d 'Option of the log: path, max-size, max-file or tag' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l pull -d 'When to pull the image: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s v -l volume -d 'Bind a path of the host, or a volume' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l mount -d 'Mount: type=bind|volume|tmpfs|image, source=, target=, and options' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l tmpfs -d 'Mount a tmpfs' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l volumes-from -d 'Mount what another container has mounted; options: ro, rw, z' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l image-volume -d 'What becomes of the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only -d 'Make the root file system read-only' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only-tmpfs -d 'With --read-only: a tmpfs on /run, /tmp and /var/tmp (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l shm-size -d 'Size of /dev/shm (default 64m; 0: no limit)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l network -l net -d 'Network: private, none, host, pasta[:OPTIONS], slirp4netns[:OPTIONS], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s p -l publish -d 'Publish a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l expose -d 'Expose a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l dns -d 'Name server; none: leave /etc/resolv.conf as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-search -d 'Domain that names are looked up in; . for none' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-option -l dns-opt -d 'Option of resolv.conf(5)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l add-host -d 'Line of /etc/hosts; the address may be host-gateway' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hosts -d 'Leave /etc/hosts as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s m -l memory -d 'Limit of memory, in bytes or with a unit' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swap -d 'Limit of memory and swap together; -1: no limit of swap' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-reservation -d 'Memory that is left to the container under pressure' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cpus -d 'Number of processors, with decimals' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s c -l cpu-shares -d 'Share of processor time, 1024 by default' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-quota -d 'Microseconds of processor time in each period; -1: no limit' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-period -d 'Length of the period in microseconds' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-cpus -d 'Processors that may be used: 0-3,5' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-mems -d 'Memory nodes that may be used' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l pids-limit -d 'Number of processes and threads; -1: no limit (default 2048)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l ulimit -d 'Limit of setrlimit(2); host: all as they are here' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l oom-score-adj -d 'How readily the kernel kills it when memory runs out, -1000 to 1000' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroup-conf -d 'Write a file of the container\'s cgroup' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroups -d 'Whether to make cgroups: enabled, disabled, no-conmon or split' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroup-parent -d 'Cgroup in which the container\'s is made' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroupns -d 'Cgroup namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l userns -d 'User namespace: host, keep-id[:uid=,gid=,size=], nomap, auto[:size=], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l uidmap -d 'Map of user ids; FLAGS of + u g, and @ before an id of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l gidmap -d 'Map of group ids' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l pid -d 'Pid namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l ipc -d 'Ipc namespace: private, shareable, none, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l uts -d 'Uts namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-add -d 'Add a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-drop -d 'Drop a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l security-opt -d 'seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, apparmor=, label=' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l device -d 'Bind a device of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l sysctl -d 'Parameter of the kernel that belongs to one of the container\'s own namespaces' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l replace -d 'Remove a container that has the name already'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv-all -d 'Remove every variable of the image'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s i -l interactive -d 'Keep stdin open'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s t -l tty -d 'Give the container a terminal'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l rootfs -d 'Take the first argument as the path of a root file system, not as an image'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l rm -d 'Remove the container and its anonymous volumes after it has ended'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l no-healthcheck -d 'Ignore the image\'s health check'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -s P -l publish-all -d 'Publish every exposed port on a random one'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l privileged -d 'Give every capability and device that this user has, and take the masks off'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from create" -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from diff" -l format -d 'Form of the output: `json`' -r -f -a "json\t''"
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from diff" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -l cidfile -d 'File with the id of the container, as --cidfile of run wrote it: then no container is named' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s e -l env -d 'Variable of the environment; NAME alone copies the caller\'s, PRE* every one that begins so' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -l env-file -d 'File of variables, one NAME=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s u -l user -d 'User, by name or number, and group' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s w -l workdir -d 'Working directory in the container' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s d -l detach -d 'Run it in the background and print the id of the session'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s i -l interactive -d 'Keep stdin open'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s l -l latest -d 'The container that was made last: then no container is named'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -l privileged -d 'Give the program every capability of the container\'s user namespace'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s t -l tty -d 'Give the program a terminal'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from export" -s o -l output -d 'File to write; standard output if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from inspect" -s s -l size -d 'Count the bytes'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from inspect" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from kill" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from kill" -s s -l signal -d 'Signal by name or number' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from kill" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from kill" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from kill" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that pass: KEY=VALUE' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -l format -d 'Form of the output: `json`, or a Go template; with the prefix `table` it has headings' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s n -l last -d 'The last N that were made, running or not' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -l sort -d 'Order: command, created, id, image, names, runningfor, size or status' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s a -l all -d 'Those that do not run, too'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -l external -d 'Those that other programs made in this store, too. There are none: a store of Sampan is Sampan\'s alone'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -l ns -l namespace -d 'Show the namespaces of each container\'s first process'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -l no-trunc -d 'Print ids and commands in full'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -l noheading -d 'Print no headings'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print ids alone'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s s -l size -d 'Count the bytes that each container wrote'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that pass: KEY=VALUE' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -l format -d 'Form of the output: `json`, or a Go template; with the prefix `table` it has headings' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s n -l last -d 'The last N that were made, running or not' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -l sort -d 'Order: command, created, id, image, names, runningfor, size or status' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s a -l all -d 'Those that do not run, too'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -l external -d 'Those that other programs made in this store, too. There are none: a store of Sampan is Sampan\'s alone'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -l ns -l namespace -d 'Show the namespaces of each container\'s first process'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Print ids and commands in full'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -l noheading -d 'Print no headings'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print ids alone'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s s -l size -d 'Count the bytes that each container wrote'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s f -l filter -d 'Only those that pass: KEY=VALUE' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -l format -d 'Form of the output: `json`, or a Go template; with the prefix `table` it has headings' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s n -l last -d 'The last N that were made, running or not' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -l sort -d 'Order: command, created, id, image, names, runningfor, size or status' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s a -l all -d 'Those that do not run, too'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -l external -d 'Those that other programs made in this store, too. There are none: a store of Sampan is Sampan\'s alone'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -l ns -l namespace -d 'Show the namespaces of each container\'s first process'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -l no-trunc -d 'Print ids and commands in full'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -l noheading -d 'Print no headings'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s q -l quiet -d 'Print ids alone'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s s -l size -d 'Count the bytes that each container wrote'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -l since -d 'Only what was written since then: a time, Unix seconds, or a duration before now' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -l until -d 'Only what was written until then: a time, Unix seconds, or a duration after now, which ends --follow' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last lines of each container (-1: all)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on until the containers end'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -s n -l names -d 'Names instead of ids before the lines'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -s t -l timestamps -d 'The time before each line'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -l color -d 'A colour for each container'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from mount" -l format -d 'Form of the output: `json`' -r -f -a "json\t''"
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from mount" -s a -l all -d 'Mount all containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from mount" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from mount" -l no-trunc -d 'Print ids in full'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from mount" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from pause" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from pause" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from pause" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from pause" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from port" -s a -l all -d 'All running containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from port" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from port" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from prune" -l filter -d 'Only those that pass: label=, label!=, until=' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -s t -l time -d 'Seconds until SIGKILL (default: the container\'s own, 10); 0: at once; -1: never' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -l running -d 'Of these only the ones that run'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s t -l time -d 'With --force: seconds between the stop signal and SIGKILL' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s f -l force -d 'Kill what runs; a container that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'A container that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s v -l volumes -d 'Its anonymous volumes, too'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -l depend -d 'The containers that share its namespaces, too'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s a -l attach -d 'Attach only to these: stdin, stdout, stderr' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l name -d 'Name of the container (default: two random words)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s e -l env -d 'Variable of the environment; NAME alone copies the caller\'s, PRE* every one that begins so' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l env-file -d 'File of variables, one NAME=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l env-host -d 'Pass the caller\'s whole environment on' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv -d 'Remove a variable of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l http-proxy -d 'Pass the caller\'s proxy variables on (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l entrypoint -d 'Replace the image\'s entrypoint: a program, or a JSON array of strings; empty removes it' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s w -l workdir -d 'Working directory in the container' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s u -l user -d 'User, by name or number, and group' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l group-add -d 'Supplementary group; keep-groups keeps the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s h -l hostname -d 'Host name (default: the first 12 digits of the id)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l init -d 'Run an init as process 1, which reaps and passes signals on' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s l -l label -d 'Label' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l label-file -d 'File of labels, one KEY=VALUE per line' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l annotation -d 'OCI annotation' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l tz -d 'Time zone, or local for the caller\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l umask -d 'Umask in octal (default 0022)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l restart -d 'When to start it again: no, on-failure[:MAX], always or unless-stopped; the last two not with --rm' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-signal -d 'Signal that stops it (default SIGTERM, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-timeout -d 'Seconds between the stop signal and SIGKILL (default 10)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l timeout -d 'Seconds after which it is killed. Its restart policy counts that as any other end' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l health-cmd -d 'Check that tells whether the container is healthy: a script, or a JSON array of a program and its arguments; none for no check' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l health-interval -d 'Time between two checks, or disable for checks by hand alone (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l health-retries -d 'Failures in a row that make it unhealthy (default 3, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l health-start-period -d 'Time after the start in which failures do not count (default 0s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l health-timeout -d 'Time after which a check is killed and has failed (default 30s, or the image\'s)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l health-on-failure -d 'What to do when it is unhealthy: none, kill, restart or stop' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cidfile -d 'Write the container\'s id to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l pidfile -d 'Write the pid of its first process to this file' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l log-driver -d 'How output is logged: k8s-file or none' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l log-opt -d 'Option of the log: path, max-size, max-file or tag' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l pull -d 'When to pull the image: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s v -l volume -d 'Bind a path of the host, or a volume' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l mount -d 'Mount: type=bind|volume|tmpfs|image, source=, target=, and options' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l tmpfs -d 'Mount a tmpfs' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l volumes-from -d 'Mount what another container has mounted; options: ro, rw, z' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l image-volume -d 'What becomes of the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only -d 'Make the root file system read-only' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only-tmpfs -d 'With --read-only: a tmpfs on /run, /tmp and /var/tmp (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l shm-size -d 'Size of /dev/shm (default 64m; 0: no limit)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l network -l net -d 'Network: private, none, host, pasta[:OPTIONS], slirp4netns[:OPTIONS], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s p -l publish -d 'Publish a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l expose -d 'Expose a port' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l dns -d 'Name server; none: leave /etc/resolv.conf as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-search -d 'Domain that names are looked up in; . for none' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-option -l dns-opt -d 'Option of resolv.conf(5)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l add-host -d 'Line of /etc/hosts; the address may be host-gateway' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hosts -d 'Leave /etc/hosts as the image has it' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s m -l memory -d 'Limit of memory, in bytes or with a unit' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swap -d 'Limit of memory and swap together; -1: no limit of swap' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-reservation -d 'Memory that is left to the container under pressure' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cpus -d 'Number of processors, with decimals' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s c -l cpu-shares -d 'Share of processor time, 1024 by default' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-quota -d 'Microseconds of processor time in each period; -1: no limit' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-period -d 'Length of the period in microseconds' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-cpus -d 'Processors that may be used: 0-3,5' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-mems -d 'Memory nodes that may be used' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l pids-limit -d 'Number of processes and threads; -1: no limit (default 2048)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l ulimit -d 'Limit of setrlimit(2); host: all as they are here' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l oom-score-adj -d 'How readily the kernel kills it when memory runs out, -1000 to 1000' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroup-conf -d 'Write a file of the container\'s cgroup' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroups -d 'Whether to make cgroups: enabled, disabled, no-conmon or split' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroup-parent -d 'Cgroup in which the container\'s is made' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroupns -d 'Cgroup namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l userns -d 'User namespace: host, keep-id[:uid=,gid=,size=], nomap, auto[:size=], container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l uidmap -d 'Map of user ids; FLAGS of + u g, and @ before an id of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l gidmap -d 'Map of group ids' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l pid -d 'Pid namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l ipc -d 'Ipc namespace: private, shareable, none, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l uts -d 'Uts namespace: private, host, container:NAME or ns:PATH' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-add -d 'Add a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-drop -d 'Drop a capability, or ALL' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l security-opt -d 'seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, apparmor=, label=' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l device -d 'Bind a device of the host' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l sysctl -d 'Parameter of the kernel that belongs to one of the container\'s own namespaces' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s d -l detach -d 'Run it in the background and print its id'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l rmi -d 'Remove the container after it has ended (--rm), and then the image if no other container uses it'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l replace -d 'Remove a container that has the name already'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv-all -d 'Remove every variable of the image'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s i -l interactive -d 'Keep stdin open'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s t -l tty -d 'Give the container a terminal'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l rootfs -d 'Take the first argument as the path of a root file system, not as an image'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l rm -d 'Remove the container and its anonymous volumes after it has ended'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l no-healthcheck -d 'Ignore the image\'s health check'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -s P -l publish-all -d 'Publish every exposed port on a random one'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l privileged -d 'Give every capability and device that this user has, and take the masks off'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from run" -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -s a -l attach -d 'Attach to output'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -s i -l interactive -d 'Attach to input as well, if the container was made with --interactive or --tty'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -s t -l time -d 'Seconds until SIGKILL (default: the container\'s own, 10); 0: at once; -1: never' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -s i -l ignore -d 'A container that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unmount" -s a -l all -d 'Unmount all containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unmount" -s f -l force -d 'Also while it is in use; an unmount here never waits, so that nothing is different'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unmount" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unmount" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from umount" -s a -l all -d 'Unmount all containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from umount" -s f -l force -d 'Also while it is in use; an unmount here never waits, so that nothing is different'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from umount" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from umount" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unpause" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unpause" -s f -l filter -d 'Only those that pass: KEY=VALUE, as in ps' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unpause" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unpause" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from unpause" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -l cidfile -d 'File with the id of a container, as --cidfile of run wrote it' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -l condition -d 'Wait for this instead: created, running, paused, stopped, exited, removing, removed, healthy or unhealthy' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -s i -l interval -d 'How often to look, where looking is what it takes' -r
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -s a -l all -d 'All containers'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -l ignore -d 'For a container that is not there print -1, and no error'
complete -c sampan -n "__fish_sampan_using_subcommand container; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand healthcheck; and not __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand healthcheck; and not __fish_seen_subcommand_from run" -f -a "run" -d 'Runs the health check of a container now: ends with 0 if it succeeds, with 1 if not'
complete -c sampan -n "__fish_sampan_using_subcommand healthcheck; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "diff" -d 'Shows what the last layer of an image changed, or what is different from another image'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "exists" -d 'Tells by its exit code whether an image is in the store: 0 if it is, 1 if not'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "history" -d 'Shows how an image was made, newest step first'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "import" -d 'Makes an image of a root file system in a tar'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "inspect" -d 'Shows everything about images, as JSON or by a template'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "list" -d 'Lists images, newest first, one line for each name'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "ls" -d 'Lists images, newest first, one line for each name'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "load" -d 'Takes images in from an archive'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "mount" -d 'Mounts the root file system of images read-only and prints where; without an image, lists those that are mounted'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "prune" -d 'Removes images that no container uses'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "pull" -d 'Fetches images from a registry, an archive or a directory'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "push" -d 'Sends an image to a registry, an archive or a directory'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "rm" -d 'Removes images, or names of them'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "save" -d 'Writes images to an archive or a directory'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "search" -d 'Searches registries for images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "tag" -d 'Gives an image further names'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "tree" -d 'Shows the layers of an image as a tree'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "unmount" -d 'Takes mounts of images away'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "umount" -d 'Takes mounts of images away'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect list ls load mount prune pull push rm save search tag tree unmount umount untag" -f -a "untag" -d 'Takes names away from an image. The image stays'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from diff" -l format -d 'Form of the output: `json`' -r -f -a "json\t''"
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -s H -l human -d 'Dates for people: how long ago' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -l no-trunc -d 'Do not shorten ids and commands'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -s c -l change -d 'Instruction that changes the configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -s m -l message -d 'Comment in the history of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -l arch -d 'Architecture of the image; this machine\'s if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Say nothing while importing'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only images that match KEY=VALUE: id, digest, reference, reference!, label, label!, dangling, before, since, until, containers, intermediate, readonly, manifest' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l sort -d 'Sort by created, id, repository, size or tag' -r -f -a "created\t''
id\t''
repository\t''
size\t''
tag\t''"
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Also nameless images that others are built on'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show digests'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l history -d 'Show the names that the image has had'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Do not shorten ids'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l noheading -d 'No headings'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only images that match KEY=VALUE: id, digest, reference, reference!, label, label!, dangling, before, since, until, containers, intermediate, readonly, manifest' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by created, id, repository, size or tag' -r -f -a "created\t''
id\t''
repository\t''
size\t''
tag\t''"
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Also nameless images that others are built on'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show digests'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l history -d 'Show the names that the image has had'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Do not shorten ids'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'No headings'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'Archive file or directory; standard input if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Say nothing while loading'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from mount" -l format -d 'Form of the output: `json`' -r -f -a "json\t''"
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from mount" -s a -l all -d 'Mount all images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from mount" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from prune" -l filter -d 'Only images that match: until, label, label!, and those of images' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from prune" -s a -l all -d 'Also those that have a name'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l policy -d 'When to pull: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -s a -l all-tags -d 'Pull every tag of the repository; one that cannot be had keeps none of the others back, and is an error in the end'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l digestfile -d 'File to write the digest of the manifest to' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l compression-format -d 'Compression of layers: gzip or zstd. Those that have another one are compressed anew' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l compression-level -d 'Level of the compression: 1 to 9 for gzip, 1 to 20 for zstd. All layers are compressed anew' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -s f -l format -d 'Format of the manifest: oci or v2s2. As it is if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l all -d 'Of a list, push all its images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l force-compression -d 'Compress layers anew that have another compression than gzip, or than --compression-format says'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Say nothing while pushing'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -l remove-signatures -d 'Send no signatures. None are ever sent'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Also if the image has several names, and with the containers that use it'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'An image that is not there is no error; --force implies it'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -l no-prune -d 'Keep the nameless images that these were built on'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -l format -d 'Form of the archive: docker-archive, oci-archive, oci-dir or docker-dir' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -s o -l output -d 'File or directory to write; standard output if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -l compress -d 'Compress plain layers with gzip; for docker-dir'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -s m -l multi-image-archive -d 'Take all arguments for images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -s q -l quiet -d 'Say nothing while saving'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -l uncompressed -d 'Write layers without compression; those of a docker-archive are always so'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from save" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -s f -l filter -d 'Only some: stars=N, is-official[=BOOL], is-automated[=BOOL]' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l format -d 'Form of the output: `json` or a Go template with .Index .Name .Description .Stars .Official .Automated .Tag' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l limit -d 'Most results of each registry; 0 is the default' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l compatible -d 'Show stars and marks, too'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l list-tags -d 'List the tags of the repository TERM'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -l no-trunc -d 'Show whole descriptions'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from tag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from tree" -l whatrequires -d 'Everything that stands on the image, instead of what it stands on'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from tree" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from unmount" -s a -l all -d 'Unmount all images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from unmount" -s f -l force -d 'Also while it is in use; an unmount here never waits, so that nothing is different'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from unmount" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from umount" -s a -l all -d 'Unmount all images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from umount" -s f -l force -d 'Also while it is in use; an unmount here never waits, so that nothing is different'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from umount" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from untag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "add" -d 'Adds images to a manifest list'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "annotate" -d 'Changes what an entry of a manifest list says of its image'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "create" -d 'Makes a manifest list, with images or without'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "exists" -d 'Tells by its exit code whether a manifest list is in the store: 0 if it is, 1 if not'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "inspect" -d 'Shows a manifest list of the store, or the manifest that a registry has under a name'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "push" -d 'Sends a manifest list and its images to a registry, an archive or a directory'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "remove" -d 'Takes an image out of a manifest list'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "rm" -d 'Removes manifest lists. The images in them stay'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l annotation -d 'Annotation of the entry' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l arch -d 'Architecture that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l features -d 'Feature of the processor that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l os -d 'Operating system that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l os-features -d 'Feature of the operating system that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l os-version -d 'Version of the operating system that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l variant -d 'Variant of the architecture that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -l all -d 'Every image of the list that IMAGE names'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l annotation -d 'Annotation of the entry' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l arch -d 'Architecture that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l features -d 'Feature of the processor that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l os -d 'Operating system that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l os-features -d 'Feature of the operating system that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l os-version -d 'Version of the operating system that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l variant -d 'Variant of the architecture that the entry names' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l index -d 'The annotations are the list\'s, not an entry\'s'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l annotation -d 'Annotation of the list' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -l all -d 'Every image of the lists that are named'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -s a -l amend -d 'Add to the list if it exists'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l all -d 'Send all images, not only this machine\'s' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l digestfile -d 'File to write the digest of the list to' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l compression-format -d 'Compression of layers: gzip or zstd. Those that have another one are compressed anew' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l compression-level -d 'Level of the compression: 1 to 9 for gzip, 1 to 20 for zstd. All layers are compressed anew' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -s f -l format -d 'Format of the manifest: oci or v2s2. As it is if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l cert-dir -d 'Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l signature-policy -d 'Trust policy file instead of containers-policy.json(5)\'s' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l force-compression -d 'Compress layers anew that have another compression than gzip, or than --compression-format says'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Say nothing while pushing'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -s p -l rm -l purge -d 'Remove the list when it has been sent'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -l remove-signatures -d 'Send no signatures. None are ever sent'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'A list that does not exist is no error'
complete -c sampan -n "__fish_sampan_using_subcommand manifest; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -f -a "check" -d 'Checks that the store and what runs are as they should be'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -f -a "df" -d 'Shows what images, containers and volumes take of the disk'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -f -a "doctor" -d 'Shows what this host gives a rootless user, and the cure for what is missing'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -f -a "info" -d 'Shows what this host and this store are'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -f -a "prune" -d 'Removes containers that do not run, images without a name, and what killed commands have left'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check df doctor info prune version" -f -a "version" -d 'Shows the version'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s r -l repair -d 'Repair what can be repaired: damaged layers and records of images are made anew from the blobs that are kept'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s q -l quick -d 'Do not read the content of files and blobs: the default without --repair'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -l full -d 'Read the content of all files and blobs'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -l json -d 'The same as `--format=json`'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from df" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from df" -s v -l verbose -d 'Each image, container and volume by itself'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from df" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from doctor" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -l filter -d 'Only what matches: label=, label!=, until=' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -l keep-size -d 'Images that no container uses go, longest unused first, until all images take at most this much of the disk' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -l unused-for -d 'Also images that no container uses and that were not used for so long: 36h, 30d, 2w' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -s a -l all -d 'Also every image that no container uses, and downloads that were cut off'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -l volumes -d 'Also every volume that no container uses, with its data'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from version" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "create" -d 'Makes a volume and prints its name'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "exists" -d 'Ends with 0 if there is such a volume, with 1 if not'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "inspect" -d 'Shows everything about volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "ls" -d 'Lists volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "list" -d 'Lists volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "prune" -d 'Removes every volume that no container uses'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "rm" -d 'Removes volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and not __fish_seen_subcommand_from create exists inspect ls list prune rm remove" -f -a "remove" -d 'Removes volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -s l -l label -d 'Label' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -s d -l driver -d 'Driver; local is the only one' -r -f -a "local\t''"
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -s o -l opt -d 'Option of the driver: o=uid=UID,gid=GID, nocopy' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -l uid -d 'User that the volume belongs to; nothing is copied into it from an image then' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -l gid -d 'Group that the volume belongs to; nothing is copied into it from an image then' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -l ignore -d 'A volume that is there already is no error'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s a -l all -d 'All volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that pass: name, driver, scope, label, label!, opt, dangling, until, since' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from ls" -l format -d 'Form of the output: `json`, or a Go template; with the prefix `table` it has headings' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Print no headings'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print names alone'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that pass: name, driver, scope, label, label!, opt, dangling, until, since' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from list" -l format -d 'Form of the output: `json`, or a Go template; with the prefix `table` it has headings' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Print no headings'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print names alone'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from prune" -l filter -d 'Only those that pass: label, label!, anonymous, until, since' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from rm" -s t -l time -d 'With --force: seconds between the stop signal and SIGKILL' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from rm" -s a -l all -d 'All volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from rm" -s f -l force -d 'Remove the containers that use them, too; a volume that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from remove" -s t -l time -d 'With --force: seconds between the stop signal and SIGKILL' -r
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from remove" -s a -l all -d 'All volumes'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from remove" -s f -l force -d 'Remove the containers that use them, too; a volume that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand volume; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
