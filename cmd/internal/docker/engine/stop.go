package engine

import (
	"slices"
	"strings"
	"syscall"
	"time"
)

// defaultPatience is how long a container may take to end after it was asked to, as docker stop has it.
const defaultPatience = 10 * time.Second

// Stop asks a container to end, with the signal that it was created with or SIGTERM, and after patience makes it; negative
// stands for the time that it was created with, or ten seconds. One that does not run is left as it is.
func (e *Engine) Stop(reference string, patience time.Duration) error {
	stop, err := e.stopping(reference, patience)
	if err == nil {
		stop()
	}
	return err
}

// stopping finds what is to be stopped, and returns what does it.
func (e *Engine) stopping(reference string, patience time.Duration) (stop func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	if err != nil {
		return nil, err
	}
	if patience < 0 {
		patience = defaultPatience
		if c.config.StopTimeout != nil && *c.config.StopTimeout >= 0 {
			patience = time.Duration(*c.config.StopTimeout) * time.Second
		}
	}
	switch {
	case !c.state.Running:
		return func() {}, nil
	case c.service != "" && len(c.argv) == 0:
		return nil, conflict("%s runs no command: it is there as long as the lab is", c.name)
	case c.service != "":
		return func() {
			if e.lab.StopHost(c.service, patience) == nil {
				e.tellOf(c, "stop")
			}
		}, nil
	}
	ended := c.ended
	return func() {
		e.kill(c, signalOf(c.config.StopSignal))
		select {
		case <-ended:
		case <-time.After(patience):
			e.kill(c, syscall.SIGKILL)
			<-ended
		}
		e.tellOf(c, "stop")
	}, nil
}

// Kill sends a signal to a container that runs.
func (e *Engine) Kill(reference, signal string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	if err != nil {
		return err
	}
	if c.process == nil {
		return conflict("cannot kill container: %s: container %s is not running", reference, c.id)
	}
	e.tellSignal(c, signalOf(signal))
	c.signal(signalOf(signal))
	return nil
}

func (e *Engine) kill(c *container, s syscall.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tellSignal(c, s)
	c.signal(s)
}

// signal reaches the command and what it has started. It needs the engine's lock, under which the process is ours.
func (c *container) signal(s syscall.Signal) {
	if c.process != nil {
		_ = c.process.Signal(s)
	}
}

// signalOf reads SIGTERM, TERM or nothing.
func signalOf(name string) syscall.Signal {
	name = strings.ToUpper(name)
	if name != "" && !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if s := signalNumber(name); s != 0 {
		return s
	}
	return syscall.SIGTERM
}

// Remove removes a container; one that runs only with force, which kills it first.
func (e *Engine) Remove(reference string, force bool) error {
	e.mu.Lock()
	c, err := e.find(reference)
	switch {
	case err != nil:
	case c.service != "":
		err = conflict("container %s is a service of the lab's file: uswitch apply takes it out", c.name)
	case c.state.Running && !force:
		err = conflict("cannot remove container %q: container is running: stop the container before removing or force remove", "/"+c.name)
	}
	if err != nil {
		e.mu.Unlock()
		return err
	}
	ended := c.ended
	e.tellSignal(c, syscall.SIGKILL)
	c.signal(syscall.SIGKILL)
	e.mu.Unlock()
	if ended != nil {
		<-ended
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(c)
	return nil
}

// forget takes a container off the list, unless it is off already. It needs the lock.
func (e *Engine) forget(c *container) {
	if i := slices.Index(e.containers, c); i >= 0 {
		e.containers = slices.Delete(e.containers, i, i+1)
		close(c.removed)
		e.tellOf(c, "destroy")
	}
}

// Close ends every container and waits for it; it is for the end of the lab. Nothing can be started meanwhile.
func (e *Engine) Close() {
	e.mu.Lock()
	containers := slices.Clone(e.containers)
	e.closed = true
	e.mu.Unlock()
	done := make(chan struct{}, len(containers))
	for _, c := range containers {
		go func() {
			_ = e.Stop(c.id, closePatience)
			done <- struct{}{}
		}()
	}
	for range containers {
		<-done
	}
}

// closePatience is how long containers have at the end of the lab; Docker gives them 15 s, and a lab world.Patience.
const closePatience = 5 * time.Second
