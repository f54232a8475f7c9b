package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"uswitch/cmd/internal/docker/client"
)

// containerFlags are the flags that docker run and docker create share. -h is the hostname there, so that only --help, or -h
// alone, is for help.
func containerFlags(c *cobra.Command) *client.Options {
	o := &client.Options{}
	f := c.Flags()
	f.SetInterspersed(false)
	f.Bool("help", false, "help")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if strings.HasSuffix(err.Error(), "'h' in -h") {
			return c.Help()
		}
		return c.Parent().FlagErrorFunc()(c, err)
	})
	f.StringVar(&o.Name, "name", "", "call it `NAME`, and its namespace too")
	f.BoolVar(&o.Remove, "rm", false, "remove it when its command has ended")
	f.BoolVarP(&o.Interactive, "interactive", "i", false, "give its command what is typed")
	f.BoolVarP(&o.TTY, "tty", "t", false, "give its command a terminal")
	f.StringArrayVar(&o.Networks, "network", nil, "put it on `NETWORK`: a name, bridge, none, host, container:NAME, or name=NAME,alias=...,ip=...")
	f.StringArrayVar(&o.Networks, "net", nil, "the same")
	f.StringArrayVar(&o.Aliases, "network-alias", nil, "a further `NAME` on its network")
	f.StringVar(&o.IP, "ip", "", "its IPv4 `ADDRESS`")
	f.StringVar(&o.IP6, "ip6", "", "its IPv6 `ADDRESS`")
	f.StringVar(&o.MAC, "mac-address", "", "its MAC `ADDRESS`")
	f.StringArrayVarP(&o.Publish, "publish", "p", nil, "open `[[IP:]PORT:]PORT[/udp]` of this machine for a port of it")
	f.BoolVarP(&o.PublishAll, "publish-all", "P", false, "open a free port for each that is exposed")
	f.StringArrayVar(&o.Expose, "expose", nil, "say that it listens on `PORT[/udp]`")
	f.StringVarP(&o.Hostname, "hostname", "h", "", "its host `NAME`; its id if nothing is said")
	f.StringArrayVar(&o.AddHosts, "add-host", nil, "add `NAME:ADDRESS` to its /etc/hosts")
	f.StringArrayVar(&o.DNS, "dns", nil, "ask the name server at `ADDRESS`")
	f.StringArrayVar(&o.DNSOptions, "dns-option", nil, "an `OPTION` of its /etc/resolv.conf")
	f.StringArrayVar(&o.DNSSearch, "dns-search", nil, "a search `DOMAIN` of its /etc/resolv.conf")
	f.StringArrayVar(&o.Links, "link", nil, "know `CONTAINER[:ALIAS]` by name, as on the default bridge")
	f.StringArrayVarP(&o.Env, "env", "e", nil, "set `NAME=VALUE` for its command")
	f.StringVarP(&o.WorkingDir, "workdir", "w", "", "run its command in `DIRECTORY`; / if nothing is said")
	f.StringVar(&o.Entrypoint, "entrypoint", "", "run `PROGRAM`, with the command for its arguments")
	f.StringArrayVarP(&o.Labels, "label", "l", nil, "note `KEY=VALUE` with it")
	f.StringVar(&o.StopSignal, "stop-signal", "", "end it with `SIGNAL`")
	f.IntVar(&o.StopTimeout, "stop-timeout", -1, "make it end after `SECONDS`")
	f.StringVarP(&o.User, "user", "u", "", "run its command as `USER[:GROUP]` of this machine")
	f.StringArrayVar(&o.Groups, "group-add", nil, "a further `GROUP` of its user")
	f.StringArrayVar(&o.CapAdd, "cap-add", nil, "leave it `CAPABILITY`")
	f.StringArrayVar(&o.CapDrop, "cap-drop", nil, "take `CAPABILITY` from it, or ALL")
	f.StringArrayVar(&o.SecurityOpt, "security-opt", nil, "`no-new-privileges`: none of its programs gets more rights")
	f.BoolVar(&o.Privileged, "privileged", false, "leave it all capabilities, whatever is taken away")
	f.BoolVar(&o.ReadOnly, "read-only", false, "let it write no file but below /dev and /proc")
	f.StringArrayVar(&o.Ulimits, "ulimit", nil, "a `LIMIT` of its processes, as in nofile=64:128")
	_ = f.MarkHidden("net")
	_ = f.MarkHidden("stop-timeout")
	f.StringArrayVar(&o.Sysctls, "sysctl", nil, "set a `SETTING` of its network, as in net.ipv4.ip_forward=1")
	addIdleFlags(f)
	return o
}

// idle are flags of docker run that are about other things than networks. They are taken, so that lines of a tutorial work as
// they stand, and told of. A letter behind a blank is the short form.
var (
	idleSwitches = []string{"disable-content-trust", "init", "no-healthcheck", "oom-kill-disable", "quiet q", "sig-proxy"}
	idleValues   = []string{"annotation", "attach a", "cgroup-parent", "cgroupns", "cidfile", "cpu-period", "cpu-quota",
		"cpu-shares c", "cpus", "cpuset-cpus", "cpuset-mems", "detach-keys", "device", "domainname", "env-file", "gpus", "health-cmd",
		"health-interval", "health-retries", "health-start-period", "health-timeout", "ipc", "label-file", "link-local-ip", "log-driver",
		"log-opt", "memory m", "memory-reservation", "memory-swap", "mount", "oom-score-adj", "pid", "pids-limit", "platform", "pull", "restart",
		"runtime", "shm-size", "storage-opt", "tmpfs", "userns", "uts", "volume v",
		"volume-driver", "volumes-from"}
)

func addIdleFlags(f *pflag.FlagSet) {
	for _, words := range idleSwitches {
		name, short, _ := strings.Cut(words, " ")
		f.BoolP(name, short, false, "")
		_ = f.MarkHidden(name)
	}
	for _, words := range idleValues {
		name, short, _ := strings.Cut(words, " ")
		f.StringP(name, short, "", "") // the last one; nobody asks. A list writes itself down as it is made, in 4 KiB
		_ = f.MarkHidden(name)
	}
}

// idleFlags names those that were given.
func idleFlags(c *cobra.Command) (names []string) {
	idle := map[string]bool{}
	for _, words := range append(append([]string{}, idleSwitches...), idleValues...) {
		name, _, _ := strings.Cut(words, " ")
		idle[name] = true
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if idle[f.Name] {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}
