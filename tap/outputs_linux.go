package tap

import (
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// outputs copies what a command writes to writers that are no files, in place of exec.Cmd: that would throw away what is left
// WaitDelay after the command's end, also while somebody reads it.
type outputs struct {
	near, far []*os.File
	to        []io.Writer
	grace     time.Duration
	copying   sync.WaitGroup
}

// redirect gives a command pipes in place of its writers.
func redirect(cmd *exec.Cmd) (*outputs, error) {
	o := &outputs{grace: cmd.WaitDelay}
	both := cmd.Stdout != nil && sameWriter(cmd.Stdout, cmd.Stderr)
	for _, w := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		if _, isFile := (*w).(*os.File); isFile || *w == nil {
			continue
		}
		if both && len(o.far) > 0 {
			*w = o.far[0]
			continue
		}
		near, far, err := os.Pipe()
		if err != nil {
			o.close()
			return nil, err
		}
		o.near, o.far, o.to = append(o.near, near), append(o.far, far), append(o.to, *w)
		*w = far
	}
	return o, nil
}

// sameWriter compares as exec.Cmd does: writers that cannot be compared are two.
func sameWriter(a, b io.Writer) bool {
	defer func() { _ = recover() }()
	return a == b
}

// begin copies until the end of the command, which has started, and of its output.
func (o *outputs) begin(ended <-chan struct{}) {
	for _, far := range o.far {
		far.Close()
	}
	for i, near := range o.near {
		o.copying.Go(func() {
			defer near.Close()
			CopyOutput(o.to[i], near, ended, o.grace)
		})
	}
}

// close is for a command that does not start.
func (o *outputs) close() {
	for i := range o.near {
		o.near[i].Close()
		o.far[i].Close()
	}
}
