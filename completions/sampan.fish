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
complete -c sampan -n "__fish_sampan_needs_command" -f -a "completion" -d 'Prints the script that completes commands in a shell'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "info" -d 'Shows what this host and this store are'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "version" -d 'Shows the version'
complete -c sampan -n "__fish_sampan_needs_command" -f -a "system" -d 'Looks after Sampan itself'
complete -c sampan -n "__fish_sampan_using_subcommand completion" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand info" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand version" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from info version" -s h -l help -d 'Print help'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from info version" -f -a "info" -d 'Shows what this host and this store are'
complete -c sampan -n "__fish_sampan_using_subcommand system; and not __fish_seen_subcommand_from info version" -f -a "version" -d 'Shows the version'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from version" -s f -l format -d 'Form of the output: `json` or a Go template' -r
complete -c sampan -n "__fish_sampan_using_subcommand system; and __fish_seen_subcommand_from version" -s h -l help -d 'Print help'
