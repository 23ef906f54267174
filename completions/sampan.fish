# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_sampan_global_optspecs
    string join \n root= runroot= storage-driver= log-level= h/help V/version
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
complete -c sampan -n "__fish_sampan_needs_command" -l log-level -d 'Messages on stderr: trace, debug, info, warn, error' -r
complete -c sampan -n "__fish_sampan_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_needs_command" -s V -l version -d 'Print version'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "attach" -d 'Joins the streams of a running container'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "completion" -d 'Prints the script that completes commands in a shell'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "history" -d 'Shows how an image was made, newest step first'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "images" -d 'Lists images, newest first, one line for each name'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "import" -d 'Makes an image of a root file system in a tar'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "info" -d 'Shows what this host and this store are'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "load" -d 'Takes images in from an archive'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "logs" -d 'Shows what containers have written'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "pull" -d 'Fetches images from a registry'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "rmi" -d 'Removes images, or names of them'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "tag" -d 'Gives an image further names'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "untag" -d 'Takes names away from an image. The image stays'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "version" -d 'Shows the version'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "image" -d 'Looks after images'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "system" -d 'Looks after Sampan itself'
complete -c sampan -n "__fish_sampan_using_subcommand attach" -l detach-keys -d 'Keys that detach: characters and ctrl-<character>, separated by commas; empty: none' -r
complete -c sampan -n "__fish_sampan_using_subcommand attach" -l sig-proxy -d 'Pass signals on to the container (default true)' -r
complete -c sampan -n "__fish_sampan_using_subcommand attach" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand attach" -l no-stdin -d 'Do not pass input on'
complete -c sampan -n "__fish_sampan_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand completion" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand history" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand history" -s H -l human -d 'Sizes and dates for people' -r
complete -c sampan -n "__fish_sampan_using_subcommand history" -l no-trunc -d 'Do not shorten ids and commands'
complete -c sampan -n "__fish_sampan_using_subcommand history" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand history" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand images" -s f -l filter -d 'Only images that match KEY=VALUE: id, digest, reference, label, dangling, before, since, until, containers, intermediate' -r
complete -c sampan -n "__fish_sampan_using_subcommand images" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand images" -l sort -d 'Sort by created, id, repository, size or tag' -r -f -a "created\t''
id\t''
repository\t''
size\t''
tag\t''"
complete -c sampan -n "__fish_sampan_using_subcommand images" -s a -l all -d 'Also nameless images that others are built on'
complete -c sampan -n "__fish_sampan_using_subcommand images" -l digests -d 'Show digests'
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
complete -c sampan -n "__fish_sampan_using_subcommand load" -s i -l input -d 'Archive file or directory; standard input if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand load" -s q -l quiet -d 'Say nothing while loading'
complete -c sampan -n "__fish_sampan_using_subcommand load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l since -d 'Only what was written since then: a time, Unix seconds, or a duration before now' -r
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l until -d 'Only what was written until then' -r
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l tail -d 'Only the last lines of each container (-1: all)' -r
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s f -l follow -d 'Go on until the containers end'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s l -l latest -d 'The container that was made last'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s n -l names -d 'Names instead of ids before the lines'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s t -l timestamps -d 'The time before each line'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -l color -d 'A colour for each container'
complete -c sampan -n "__fish_sampan_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l policy -d 'When to pull: always, missing, newer or never' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l platform -d 'Operating system, architecture and variant of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l os -d 'Operating system of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l arch -d 'Architecture of the image' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l variant -d 'Variant of the architecture, for example v7' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l authfile -d 'File with credentials for registries' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l creds -d 'Credentials for the registry' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand pull" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s a -l all -d 'Remove all images'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s f -l force -d 'Also if the image has several names, and with the containers that use it'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s i -l ignore -d 'An image that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand rmi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand tag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand untag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand version" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "exists" -d 'Tells by its exit code whether an image is in the store: 0 if it is, 1 if not'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "history" -d 'Shows how an image was made, newest step first'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "import" -d 'Makes an image of a root file system in a tar'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "inspect" -d 'Shows everything about images, as JSON or by a template'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "list" -d 'Lists images, newest first, one line for each name'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "ls" -d 'Lists images, newest first, one line for each name'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "load" -d 'Takes images in from an archive'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "prune" -d 'Removes images that no container uses'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "pull" -d 'Fetches images from a registry'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "rm" -d 'Removes images, or names of them'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "tag" -d 'Gives an image further names'
complete -c sampan -n "__fish_sampan_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect list ls load prune pull rm tag untag" -f -a "untag" -d 'Takes names away from an image. The image stays'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from history" -s H -l human -d 'Sizes and dates for people' -r
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
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only images that match KEY=VALUE: id, digest, reference, label, dangling, before, since, until, containers, intermediate' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l sort -d 'Sort by created, id, repository, size or tag' -r -f -a "created\t''
id\t''
repository\t''
size\t''
tag\t''"
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Also nameless images that others are built on'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show digests'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Do not shorten ids'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l noheading -d 'No headings'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only images that match KEY=VALUE: id, digest, reference, label, dangling, before, since, until, containers, intermediate' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by created, id, repository, size or tag' -r -f -a "created\t''
id\t''
repository\t''
size\t''
tag\t''"
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Also nameless images that others are built on'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show digests'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Do not shorten ids'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'No headings'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Ids only'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'Archive file or directory; standard input if not given' -r -F
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Say nothing while loading'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from prune" -l filter -d 'Only images that match: until, label, label!' -r
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
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l tls-verify -d 'Use HTTPS and verify certificates' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry -d 'How often a failed request is made again' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry-delay -d 'Delay before each new try; doubling from one second on if not given' -r
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Say nothing while pulling'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all images'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Also if the image has several names, and with the containers that use it'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'An image that is not there is no error'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from tag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand image; and __fish_seen_subcommand_from untag" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check info version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check info version" -f -a "check" -d 'Checks that the store and what runs are as they should be'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check info version" -f -a "info" -d 'Shows what this host and this store are'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from check info version" -f -a "version" -d 'Shows the version'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s r -l repair -d 'Repair what can be repaired'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s q -l quick -d 'Leave the content of blobs out'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from version" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from version" -s h -l help -d 'Print help'
