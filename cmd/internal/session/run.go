package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/simhost"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// Options are what a person can say about one run.
type Options struct {
	Plan  *plan.Plan // required
	Trace string     // text, json or off
	Pcap  string     // a file for the capture; empty: none
	Snap  int        // bytes of each frame that are captured; 0: all
	Force bool       // overwrite the file
	Adopt bool       // hosts may use namespaces of their names that are there already
	Plain bool       // network interfaces without offload: every frame as on a wire
	// Simulated hosts, cables and programs in place of namespaces, network interfaces and processes: no privileges are needed.
	Simulated bool
	// Live runs a simulated lab in this machine's time, whatever it does.
	Live    bool
	Command []string // a command for this machine, for which the lab is up; empty: the lab ends by itself
	// Beside is what this process itself does while the lab is up, in place of a command; its result is the run's.
	Beside func(ctx context.Context, lab *api.Client) (status int, err error) `json:"-"`

	// InBackground says that Background has started this process: it writes to a log, says when the lab is up,
	// and ends when it is told to, not with the lab's commands.
	InBackground bool

	Rights Rights // whose rights a lab on real network interfaces may use; empty: whichever will do

	Stdout, Stderr *os.File `json:"-"` // required

	// Open is called in this process when the lab is up, for what is to be there as long as the lab is; end ends that.
	Open    func(ctx context.Context, lab *api.Client) (end func(), err error) `json:"-"`
	Watched bool                                                               // what happens is kept from the beginning for who follows it, as Open's followers want it

	up func(lab string) error // told when the lab is up; nil: nobody waits for that
}

// Rights says how a lab on real network interfaces comes by the rights that it needs.
type Rights string

const (
	RootOnly Rights = "root-only" // with those that this process has
	Rootless Rights = "rootless"  // with those that it has in a user namespace of the lab's own
)

// Run brings a lab up, waits for its end and takes it down. The status is the lab's: see world.World.Run; that of the
// command if there is one; 128 and the signal's number if a signal came before either had ended.
func Run(o Options) (status int, err error) {
	virtual, alone := o.virtual()
	if alone {
		return runAlone(o)
	}
	dir, noDir := api.Directory()
	host, err := newHost(o.Simulated, virtual, dir)
	if err != nil {
		return 1, &CannotError{Root: err}
	}
	defer host.Close()
	if !o.Simulated {
		switch refused, possible := check(host, o.Rights); {
		case refused != nil && possible && noDir == nil:
			return runRootless(o, dir, refused)
		case refused != nil && possible:
			return 1, &CannotError{refused, noDir}
		case refused != nil || noDir != nil:
			return 1, &CannotError{Root: cmp.Or(refused, noDir)}
		}
	}
	if noDir != nil {
		return 1, noDir
	}
	return runOn(o, dir, host)
}

// runOn brings the lab up on a host that has what that needs.
func runOn(o Options, dir string, host tap.Host) (status int, err error) {
	lock, err := api.TakeLock(dir, o.Plan.Name)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()

	if o.InBackground && o.up == nil {
		o.up = func(lab string) error { return sayReady(lab, os.Getpid()) }
	}
	s := &session{Options: o, dir: dir, host: host, screen: newScreen(o)}
	if o.InBackground {
		if s.screen.log, err = openLog(dir, o.Plan.Name); err != nil {
			return 1, err
		}
		defer s.screen.log.end()
	}
	keepInherited()
	if err := s.reclaim(); err != nil {
		return 1, err
	}
	return s.run()
}

// BesideWith returns a function that brings a lab up - in memory if simulated, else with rights, which are read then - calls f and
// takes the lab down. Nothing of what its hosts write is shown; what there is to say of it goes to messages. The error is that of
// f, or why there was no lab.
func BesideWith(rights *Rights) func(p *plan.Plan, simulated bool, messages *os.File, f func(context.Context, *api.Client) error) error {
	return func(p *plan.Plan, simulated bool, messages *os.File, f func(context.Context, *api.Client) error) error {
		quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer quiet.Close()
		_, err = Run(Options{Plan: p, Simulated: simulated, Rights: *rights, Trace: "off", Stdout: quiet, Stderr: messages,
			Beside: func(ctx context.Context, lab *api.Client) (int, error) { return 0, f(ctx, lab) }})
		return err
	}
}

// newHost returns who makes namespaces and interfaces.
func newHost(simulated, virtual bool, dir string) (tap.Host, error) {
	switch {
	case virtual:
		return simhost.NewVirtual(), nil
	case simulated:
		return simhost.New(), nil
	}
	return newRealHost(dir)
}

// runAlone is Run for a lab to which nobody can be attached: it is over before anybody could.
func runAlone(o Options) (status int, err error) {
	s := &session{Options: o, host: simhost.NewVirtual(), screen: newScreen(o)}
	defer s.host.Close()
	var differences []string
	s.Plan, differences = InMemory(o.Plan)
	for _, line := range differences {
		s.screen.report(line)
	}
	return s.run()
}

// CannotError says that this machine or this user cannot have a lab on real network interfaces; it has a line for each thing
// that is missing.
type CannotError struct {
	Root     error // with the rights of this process
	Rootless error // in a user namespace; nil: that was not tried
}

func (e *CannotError) Error() string { return errors.Join(e.Root, e.Rootless).Error() }

// session is one run.
type session struct {
	Options
	dir    string // of the lab's lock and socket; empty: it has none
	host   tap.Host
	screen *screen
	world  *world.World
}

// reclaim removes what a run of this lab that was killed has left behind.
func (s *session) reclaim() error {
	if s.screen.log == nil {
		_ = os.Remove(logPath(s.dir, s.Plan.Name)) // a killed lab in the background had one
	}
	found, err := s.host.Reclaim(s.Plan.Name)
	for _, r := range found {
		s.screen.report(r.String())
	}
	return err
}

func (s *session) run() (status int, err error) {
	ctx, stop := interruptible(s.leave)
	defer stop()
	ctx, gone := context.WithCancelCause(ctx)
	s.screen.onGone = func() { gone(errNobodyReads) }

	streams, giveBack := s.leaveProcessors(ctx)
	defer giveBack()
	w, err := world.New(s.Plan, world.Options{Host: s.host, Report: s.screen.report, Output: s.screen.host, Taken: routes,
		Plain: s.Plain, Adopt: s.Adopt, Stays: s.InBackground, Streams: streams, Memory: world.BoundMemory()})
	if err != nil {
		return 1, err
	}
	s.world = w
	listeners, err := s.listen(w)
	if err != nil {
		return 1, err
	}
	defer listeners.close()
	if err := w.Up(ctx); err != nil {
		return interrupted(ctx, 1), ignoreInterruption(err)
	}
	defer func() { err = errors.Join(err, w.Down()) }()
	if s.dir != "" {
		server, err := s.serve(w, func() { gone(errStopped) })
		if err != nil {
			return 1, err
		}
		defer server.Close()
		defer api.LinkOldPath(s.dir, s.Plan.Name)()
		if s.Watched || s.Open != nil {
			server.KeepEvents()
		}
	}
	if s.Open != nil {
		end, err := s.Open(ctx, api.NewClient(api.Path(s.dir, s.Plan.Name), s.Plan.Name))
		if err != nil {
			return 1, err
		}
		defer end()
	}
	if err := s.tellUp(); err != nil {
		return 1, err
	}

	if len(s.Command) > 0 || s.Beside != nil {
		return s.beside(ctx)
	}
	if s.screen.log == nil && stays(w.Plan()) {
		s.screen.report(fmt.Sprintf("lab %s is up, and stays: Ctrl-C ends it, or uswitch down %[1]s", s.Plan.Name))
	}
	status, complete := w.Run(ctx)
	if !complete && !w.Plan().KeepUp && !s.InBackground {
		status = interrupted(ctx, status)
	}
	return status, nil
}

// tellUp tells whoever waits for the lab that it is up; one in the background has only its log from then on. What was needed only
// until here is given up.
func (s *session) tellUp() (err error) {
	if !s.Simulated {
		s.dropRights()
	}
	if s.up != nil {
		err = s.up(s.Plan.Name)
	}
	if err == nil && s.screen.log != nil {
		dropInherited()
		err = redirect(s.screen.log.File, os.Stderr)
	}
	return err
}

// dropRights says once what could not be given up, and the lab goes on. That a build with C in it keeps all is for doctor and show lab
// to say: it is so on every machine.
func (s *session) dropRights() {
	if !tap.KeepCapabilities() && tap.CanKeepCapabilities() {
		s.screen.report("the lab's process keeps all capabilities that it has: the kernel refused to take any (capset)")
	}
	if !tap.CanBound() && !tap.InUserNamespace() {
		s.screen.report("programs of hosts have all capabilities that uswitch has: without CAP_SETPCAP it cannot take any from them")
	}
}

// leave says what becomes of a lab that is not waited for. It goes past the screen, where somebody may be stuck in a write.
func (s *session) leave() {
	fmt.Fprintln(s.Stderr, leftAsItIs(s.Plan.Name))
}

func leftAsItIs(lab string) string {
	return fmt.Sprintf("uswitch: lab %s is left as it is: uswitch cleanup removes what is left of it", lab)
}

// beside runs the person's command, or what this process has to do itself, while the lab is up.
func (s *session) beside(ctx context.Context) (status int, err error) {
	end := s.stay()
	if s.Beside != nil {
		status, err = s.Beside(ctx, api.NewClient(api.Path(s.dir, s.Plan.Name), s.Plan.Name))
	} else {
		status, err = runCommand(ctx, s.Plan.Name, s.Command, s.Stdout, s.Stderr)
	}
	end()
	return status, err
}

// serve opens the control socket.
func (s *session) serve(w *world.World, stop func()) (*server.Server, error) {
	l, err := server.Listen(s.dir, s.Plan.Name)
	if err != nil {
		return nil, err
	}
	server := server.New(l, w, Version(), os.Getpid(), stop)
	server.Start()
	return server, nil
}

// ignoreInterruption returns nil for the error of a set-up that was given up because somebody asked for it.
func ignoreInterruption(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// What can end a lab besides a signal.
var (
	errNobodyReads = errors.New("nobody reads the output any more")
	errStopped     = errors.New("somebody has stopped the lab")
)
