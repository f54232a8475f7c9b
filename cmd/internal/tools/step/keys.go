package step

import (
	"bufio"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// keys are what a person presses, or the first letters of lines from somewhere else. end gives the terminal back. The
// channel is closed when there are no more.
func keys(in *os.File) (pressed <-chan byte, interactive bool, end func(), err error) {
	if !term.IsTerminal(int(in.Fd())) {
		return letters(in), false, func() {}, nil
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, false, nil, err
	}
	c := make(chan byte)
	go func() {
		defer close(c)
		one := make([]byte, 1)
		for {
			if _, err := in.Read(one); err != nil {
				return
			}
			c <- one[0]
		}
	}()
	return c, true, func() { _ = term.Restore(int(in.Fd()), state) }, nil
}

// letters reads lines; an empty one stands for the next step.
func letters(in io.Reader) <-chan byte {
	c := make(chan byte)
	go func() {
		defer close(c)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			c <- (strings.TrimSpace(lines.Text()) + "n")[0]
		}
	}()
	return c
}

// Keys.
const (
	keyNext    = 'n'
	keySpace   = ' '
	keyEnter   = '\r'
	keyRun     = 'c'
	keyBack    = 'p'
	keyQuit    = 'q'
	keyCtrlC   = 3
	keyCtrlD   = 4
	helpStep   = "Packets stop here. n or space: one hop on; c: let this one run; q: quit, and let all of them go."
	helpMarks  = "Marks: + new, - gone, ~ changed, ? what will be looked at next."
	helpReplay = "n or space: one hop on; p: one back; q: quit."
	helpChange = "Marks: ~ what the step has changed in the packet."
)

// cooked turns line ends into what a terminal wants that is in raw mode.
type cooked struct{ out io.Writer }

func (c cooked) Write(b []byte) (int, error) {
	_, err := io.WriteString(c.out, strings.ReplaceAll(string(b), "\n", "\r\n"))
	return len(b), err
}
