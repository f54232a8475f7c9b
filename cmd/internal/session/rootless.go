package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/rootless"
	"uswitch/tap"
)

// A lab on real network interfaces whose person is not root is run by a second process, in namespaces of its own (package rootless):
//
//	uswitch run LAB                  uswitch rootless-lab
//	  loads the plan     ---------->   descriptor 4: the request
//	  the end, or "up"   <----------   descriptor 3: messages, a line of JSON each
//	  runs the command                 the lab: its streams are those of the first process
//	  closes its end     ---------->   descriptor 5: ends when nothing is left to do beside the lab
//
// What a person wants to run beside the lab runs in the first process, in the person's own world. A lab in the background
// outlives the first process; any other one dies with it.
const (
	messagesFile = 3 + iota
	requestFile
	holdFile
)

// RootlessCommand is the command that the second process is started with.
const RootlessCommand = "rootless-lab"

// request is what the second process is to do.
type request struct {
	Options Options
	Dir     string // the user's, for labs
	Parent  int    // the process to die with; 0: none
	Held    bool   // the lab lasts until holdFile ends
	Trial   Rights // there is to be no lab: only what one needs is tried, with such rights, and told; empty: there is
}

// message is what the second process says. The last one, if it is an error, comes before its end.
type message struct {
	Up     string  `json:"up,omitempty"`     // the name of the lab that is up
	Cannot string  `json:"cannot,omitempty"` // why there can be no lab
	Failed string  `json:"failed,omitempty"`
	Tried  []tried `json:"tried,omitempty"`
}

// check tries whether a lab can be had with the rights of this process. If not, possible says whether to try without.
func check(host tap.Host, r Rights) (refused error, possible bool) {
	if r == Rootless {
		return errors.New("--rootless: the rights of this process are not to be used"), true
	}
	return host.Check(), r != RootOnly
}

// rootlessLab is the second process as the first one has it.
type rootlessLab struct {
	cmd      *exec.Cmd
	messages *json.Decoder
	hold     *os.File
	ended    chan struct{}
}

// runRootless runs a lab in namespaces of its own. refused is why it cannot be had without.
func runRootless(o Options, dir string, refused error) (status int, err error) {
	if err := endLeft(dir, o.Plan.Name, o.Stderr); err != nil {
		return 1, err
	}
	r := request{Options: o, Dir: dir, Parent: os.Getpid(), Held: len(o.Command) > 0 || o.Beside != nil}
	if o.InBackground {
		r.Parent = 0
	}
	r.Options.Command, r.Options.Beside = nil, nil
	r.Options.Watched = o.Open != nil
	l, err := startSecond(r, rootless.Start, o.Stdout, o.Stderr)
	if err != nil {
		return 1, &CannotError{refused, noNamespace(err)}
	}
	defer l.hold.Close()
	stop := passOn(l.cmd.Process)
	defer func() { stop() }()
	var said message
	_ = l.messages.Decode(&said)
	switch {
	case said.Up == "":
		return l.end(said, refused)
	case o.InBackground:
		return 0, sayReady(said.Up, l.cmd.Process.Pid)
	}
	if o.Open != nil {
		end, err := o.Open(context.Background(), api.NewClient(api.Path(dir, o.Plan.Name), o.Plan.Name))
		if err != nil {
			_ = l.cmd.Process.Signal(syscall.SIGTERM)
			_, _ = l.end(message{}, refused)
			return 1, err
		}
		defer end()
	}
	if len(o.Command) == 0 && o.Beside == nil {
		return l.end(message{}, refused)
	}
	ctx, stopSignals := interruptible(func() { fmt.Fprintln(o.Stderr, leftAsItIs(o.Plan.Name)) })
	defer stopSignals()
	stop()
	stop = func() {}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-l.ended
		cancel()
	}()
	if o.Beside != nil {
		status, err = o.Beside(ctx, api.NewClient(api.Path(dir, o.Plan.Name), o.Plan.Name))
	} else {
		status, err = runCommand(ctx, o.Plan.Name, o.Command, o.Stdout, o.Stderr)
	}
	l.hold.Close()
	of, failed := l.end(message{}, refused)
	if status == 0 && failed == nil {
		status = of
	}
	return status, errors.Join(err, failed)
}

func noNamespace(err error) error { return fmt.Errorf("a user namespace cannot be had: %w", err) }

// endLeft ends what programs of a run of the lab that was killed are left. A lab that is up is an error.
func endLeft(dir, lab string, messages *os.File) error {
	lock, err := api.TakeLock(dir, lab)
	if err != nil {
		return err
	}
	if n := rootless.EndLeft(dir, lab); n > 0 {
		fmt.Fprintf(messages, "uswitch: lab %s: %d processes ended that a run of it has left, whose own process is gone\n", lab, n)
	}
	return lock.Release()
}

// startSecond starts the second process by start, on a thread that lasts as long as that: the kernel takes its end for the parent's.
func startSecond(r request, start func(*exec.Cmd) error, stdout, stderr *os.File) (*rootlessLab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var pipes pipes
	defer pipes.close()
	messages, messagesEnd := pipes.make()
	ask, askEnd := pipes.make()
	hold, holdEnd := pipes.make()
	if pipes.err != nil {
		return nil, pipes.err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, RootlessCommand)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = stdout, stderr, []*os.File{messagesEnd, ask, hold}
	cmd.SysProcAttr = tap.OwnGroup()
	l := &rootlessLab{cmd: cmd, messages: json.NewDecoder(messages), hold: holdEnd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := start(cmd)
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(l.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	pipes.keep(messages, holdEnd)
	_, _ = askEnd.Write(text) // a process that has ended meanwhile says nothing, which is seen
	return l, nil
}

// end waits for the second process's end and returns how that was; said is what it has said last.
func (l *rootlessLab) end(said message, refused error) (status int, err error) {
	for l.messages.Decode(&said) == nil {
	}
	<-l.ended
	state := l.cmd.ProcessState
	if status = state.ExitCode(); status < 0 {
		status = 1
		if w, ok := state.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			status = 128 + int(w.Signal())
		}
	}
	switch {
	case said.Cannot != "":
		return 1, &CannotError{refused, errors.New(said.Cannot)}
	case said.Failed != "":
		return status, errors.New(said.Failed)
	}
	return status, nil
}

// pipes are ends of pipes, of which those that are kept outlive close.
type pipes struct {
	all []*os.File
	err error
}

func (p *pipes) make() (read, write *os.File) {
	read, write, err := os.Pipe()
	if err != nil {
		p.err = err
		return nil, nil
	}
	p.all = append(p.all, read, write)
	return read, write
}

func (p *pipes) keep(ends ...*os.File) {
	for i, one := range p.all {
		for _, end := range ends {
			if one == end {
				p.all[i] = nil
			}
		}
	}
}

func (p *pipes) close() {
	for _, one := range p.all {
		if one != nil {
			one.Close()
		}
	}
}

// RunRootless is the second process: it does what the request says, in the namespaces that it was started in.
func RunRootless() (status int, err error) {
	for _, fd := range []int{messagesFile, requestFile, holdFile} {
		syscall.CloseOnExec(fd)
	}
	messages, ask, hold := os.NewFile(messagesFile, "messages"), os.NewFile(requestFile, "request"), os.NewFile(holdFile, "hold")
	if messages == nil || ask == nil || hold == nil {
		return 2, errors.New("this command is uswitch's own")
	}
	var r request
	err = json.NewDecoder(ask).Decode(&r)
	ask.Close()
	if err != nil {
		return 2, fmt.Errorf("this command is uswitch's own: %w", err)
	}
	say := func(m message) error { return json.NewEncoder(messages).Encode(m) }
	o := r.Options
	o.Stdout, o.Stderr = os.Stdout, os.Stderr
	if r.Trial != "" {
		return 0, say(try(&r))
	}
	host, err := settle(&r)
	if err == nil {
		err = host.Check()
	}
	if err != nil {
		return 1, say(message{Cannot: err.Error()})
	}
	defer host.Close()
	o.up = func(lab string) error {
		err := say(message{Up: lab})
		if o.InBackground {
			err = errors.Join(err, messages.Close())
		}
		return err
	}
	if r.Held {
		o.Beside = func(ctx context.Context, _ *api.Client) (int, error) {
			defer context.AfterFunc(ctx, func() { hold.Close() })()
			_, _ = hold.Read(make([]byte, 1))
			return 0, nil
		}
	}
	fmt.Fprintln(o.Stderr, "uswitch: "+modeLine())
	status, err = runOn(o, r.Dir, host)
	if err != nil && say(message{Failed: err.Error()}) == nil {
		err = nil // whoever has asked says it
	}
	return status, err
}

// settle gives this process what a rootless lab has.
func settle(r *request) (tap.Host, error) {
	if r.Parent != 0 {
		if err := rootless.DieWith(r.Parent); err != nil {
			return nil, err
		}
	}
	if r.Trial == RootOnly {
		return newRealHost(r.Dir)
	}
	lab := "" // no lab is called so
	if r.Options.Plan != nil {
		lab = r.Options.Plan.Name
	}
	if err := rootless.Settle(r.Dir, lab); err != nil {
		return nil, err
	}
	return newRealHost(r.Dir)
}

// newRealHost returns who makes real namespaces and interfaces: of the rootless lab that this process is in, or of this machine.
func newRealHost(dir string) (tap.Host, error) {
	if records, names, ok := rootless.Inside(dir); ok {
		return tap.NewWithNames(records, names)
	}
	return tap.New(dir)
}

// modeLine says how a lab without root's rights runs.
func modeLine() string {
	text, from := "rootless: in a user namespace of its own", "1024"
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil {
		from = strings.TrimSpace(string(b))
	}
	if from == "0" {
		return text
	}
	return fmt.Sprintf("%s; ports below %s stay the machine's (net.ipv4.ip_unprivileged_port_start)", text, from)
}
