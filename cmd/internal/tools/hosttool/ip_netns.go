package hosttool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// netns answers `ip netns`: the namespaces of the lab's hosts, and those that are made by hand.
func (i *ip) netns(ctx context.Context) error {
	word, more := i.next()
	if !more {
		word = "list"
	}
	name, more := i.next()
	switch expandNetns(word) {
	case "list":
		return i.listNetns(ctx)
	case "list-id":
		if more {
			return i.unanswered(name)
		}
		return i.listNetnsIDs(ctx)
	case "identify":
		return i.identify(ctx, name)
	case "add", "delete", "exec", "pids":
		if !more {
			return refuse(1, "No netns name specified")
		}
	case "":
		return refuse(255, "Command %q is unknown, try \"ip netns help\".", word)
	default:
		return refuse(255, "Command \"ip netns %s\" is not answered here; there are add, delete, exec, identify, pids, list and list-id.", word)
	}
	switch expandNetns(word) {
	case "exec":
		if len(i.rest) == 0 {
			return refuse(1, "No command specified")
		}
		return i.execIn(ctx, name, i.rest)
	case "pids":
		return i.pids(ctx, name)
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/") {
		return refuse(255, "Invalid netns name %q", name)
	}
	if expandNetns(word) == "add" {
		return i.Lab.Do(ctx, http.MethodPost, "/v1/namespaces", nil, api.NamespaceChange{Name: name}, nil)
	}
	if _, err := i.host(ctx, name); err != nil {
		return refuse(1, "Cannot remove namespace file \"/run/netns/%s\": No such file or directory", name)
	}
	return i.Lab.Do(ctx, http.MethodDelete, "/v1/namespaces", nil, api.NamespaceChange{Name: name}, nil)
}

// expandNetns finds what a command is short for. list-id and its kin are not to be shortened (iproute2 ip/ipnetns.c, do_netns).
func expandNetns(word string) string {
	for _, name := range []string{"list-id", "help", "monitor", "set", "attach"} {
		if word == name {
			return name
		}
	}
	name := expand(word, []string{"list", "show", "lst", "add", "delete", "identify", "pids", "exec"})
	if name == "show" || name == "lst" {
		return "list"
	}
	return name
}

// host returns a host that has a namespace of its own, by the name of that.
func (t Tool) host(ctx context.Context, name string) (api.Host, error) {
	hosts, err := t.hosts(ctx)
	if err != nil {
		return api.Host{}, err
	}
	k := slices.IndexFunc(hosts, func(h api.Host) bool { return h.Name == name })
	if k < 0 {
		return api.Host{}, errNoNetns
	}
	return hosts[k], nil
}

var errNoNetns = errors.New("there is no such namespace")

// hosts are those that have namespaces of their own.
func (t Tool) hosts(ctx context.Context) (rows []api.Host, err error) {
	err = t.Lab.Get(ctx, "/v1/hosts", nil, &rows)
	return choose(rows, func(h api.Host) bool { return h.Mode == "" || h.Mode == "none" }), err
}

// listNetns writes namespaces as the kernel's directory has them: the last one first, and with its number if a device leads there.
func (i *ip) listNetns(ctx context.Context) error {
	hosts, err := i.hosts(ctx)
	if err != nil {
		return err
	}
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	slices.Reverse(hosts)
	for _, h := range hosts {
		line := h.Name
		if k := slices.IndexFunc(devices, func(d api.Device) bool { return d.Host == h.Name }); k >= 0 {
			line += fmt.Sprintf(" (id: %d)", devices[k].NetnsID)
		}
		if err := i.say("%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// listNetnsIDs answers `ip netns list-id`: the namespaces that cables lead to, by the numbers that `ip link` has for them.
func (i *ip) listNetnsIDs(ctx context.Context) error {
	rows, err := i.devices(ctx)
	if err != nil {
		return err
	}
	seen := map[int]bool{}
	rows = choose(rows, func(d api.Device) bool {
		first := d.Kind == api.KindVeth && d.Host != "" && !seen[d.NetnsID]
		seen[d.NetnsID] = seen[d.NetnsID] || first
		return first
	})
	return i.write(i.format, view.NetnsIDsJSON(rows), func() error { return view.NetnsIDs(i.Out, rows) })
}

// netnsName reads what may stand for a namespace: a name, or where ip netns keeps it. 1 is the machine's first process, in the machine's.
func netnsName(text string) string {
	for _, dir := range []string{"/run/netns/", "/var/run/netns/"} {
		if name, ok := strings.CutPrefix(text, dir); ok {
			return name
		}
	}
	if text == "1" || text == "/proc/1/ns/net" {
		return ""
	}
	return text
}

// netnsArg accepts the namespace of a device that is to be made or moved.
func (i *ip) netnsArg(ctx context.Context, text string) error {
	name := netnsName(text)
	if text == "" || name == "" {
		return nil
	}
	if _, err := i.host(ctx, name); err != nil {
		if !errors.Is(err, errNoNetns) {
			return err
		}
		return refuse(255, "Error: argument %q is wrong: Invalid \"netns\" value\n", text)
	}
	return nil
}

// execIn runs a program in a namespace. What ip shows there is told with the numbers of the far ends, which it cannot know itself, and
// what it would do to the far end of a cable is done here.
func (i *ip) execIn(ctx context.Context, name string, argv []string) error {
	name = netnsName(name)
	if _, err := i.host(ctx, name); err != nil {
		if !errors.Is(err, errNoNetns) {
			return err
		}
		return refuse(255, "Cannot open network namespace %q: No such file or directory", name)
	}
	if argv[0] == "ip" {
		return i.Tool.ipInside(ctx, name, argv[1:])
	}
	return i.Tool.run(ctx, name, argv, nil)
}

func (t Tool) run(ctx context.Context, host string, argv []string, output io.Writer) error {
	if t.Exec == nil {
		return refuse(255, "Cannot open network namespace %q: the lab is not up", host)
	}
	status, err := t.Exec(ctx, host, argv, output)
	switch {
	case status == 127 || err != nil && status == 0:
		return refuse(1, "exec of %q failed: No such file or directory", argv[0])
	case err != nil:
		return err
	case status != 0:
		return &api.Error{Status: status}
	}
	return nil
}

// ipInside answers ip as it is typed in a namespace: by the program there, but for moves of devices to other namespaces, and with the
// far ends' numbers in what it shows.
func (t Tool) ipInside(ctx context.Context, host string, args []string) error {
	i := ip{Tool: t, words: words{rest: args, usage: "ip"}}
	i.Netns = host
	for len(i.rest) > 0 && strings.HasPrefix(i.rest[0], "-") {
		i.rest = i.rest[1:]
	}
	word, _ := i.next()
	object := expand(word, ipObjects)
	verb, more := i.next()
	switch {
	case object == "link" && more && expand(verb, []string{"add", "set"}) == "set" && slices.Contains(i.rest, "netns"):
		return i.setLink(ctx)
	case object == "link" && more && expand(verb, []string{"add", "set"}) == "add" && slices.Contains(i.rest, "veth"):
		return i.addLink(ctx)
	case object == "link" && (!more || !slices.Contains([]string{"add", "set", "change", "replace", "delete"}, expand(verb, linkCommands))),
		object == "address" && (!more || !slices.Contains([]string{"add", "change", "chg", "replace", "delete", "flush"}, expand(verb, addrCommands))):
		return t.showInside(ctx, host, append([]string{"ip"}, args...))
	}
	return t.run(ctx, host, append([]string{"ip"}, args...), nil)
}

// showInside writes what ip shows in a namespace as the kernel would have it for the end of a pair: eth0@if7 and link-netnsid, and up
// where the interface is.
func (t Tool) showInside(ctx context.Context, host string, argv []string) error {
	devices, err := t.devices(ctx)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	failed := t.run(ctx, host, argv, &out)
	text := view.PairedInside(out.String(), func(index int) (near api.Device, ok bool) {
		k := slices.IndexFunc(devices, func(d api.Device) bool { return d.Kind == api.KindVeth && d.Host == host && d.Peer == index })
		if k < 0 {
			return near, false
		}
		return devices[k], true
	})
	if _, err := io.WriteString(t.Out, text); err != nil {
		return err
	}
	return failed
}

// identify answers `ip netns identify PID`: the namespace that a process is in, if it has a name.
func (i *ip) identify(ctx context.Context, pid string) error {
	if pid == "" || pid == "self" {
		return i.say("\n")
	}
	if _, err := strconv.ParseUint(pid, 10, 31); err != nil {
		return refuse(1, "Specified string '%s' is not a pid", pid)
	}
	inside, err := namespaceOf(pid)
	if err != nil {
		return refuse(1, "Cannot open network namespace: No such file or directory")
	}
	hosts, err := i.hosts(ctx)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if h.Namespace.ID.Inode == inside {
			return i.say("%s\n", h.Name)
		}
	}
	return i.say("\n")
}

// pids answers `ip netns pids NAME`: the processes that are in a namespace.
func (i *ip) pids(ctx context.Context, name string) error {
	h, err := i.host(ctx, name)
	if errors.Is(err, errNoNetns) {
		return refuse(1, "Cannot open network namespace: No such file or directory")
	}
	if err != nil {
		return err
	}
	for _, pid := range processesIn(h.Namespace.ID.Inode) {
		if err := i.say("%d\n", pid); err != nil {
			return err
		}
	}
	return nil
}
