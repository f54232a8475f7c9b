// Command uswitch is a virtual switch in one process, and the gateway behind it, that say what they do with every packet.
//
// Each file here is a subcommand: its flags, and one call into cmd/internal.
package main

import (
	"errors"
	"fmt"
	"os"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/rootless"
	"uswitch/cmd/internal/words"
)

func main() {
	_ = words.Speak(words.Locale(os.Getenv, words.Languages()))
	err := rootless.Begin()
	if err == nil {
		err = newRoot().Execute()
	}
	var status statusError
	var usage usageError
	var also withStatus
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	case errors.As(err, &also):
		fmt.Fprintf(os.Stderr, "uswitch: %s\n", words.Text(words.In, err))
		os.Exit(also.status)
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "uswitch: %s\n", words.Text(words.In, err))
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "uswitch: %s\n", words.Text(words.In, err))
		os.Exit(1)
	}
}

// statusError ends the process with a status and without a word: what there was to say has been said.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// exit returns the error for a status.
func exit(status int) error {
	if status == 0 {
		return nil
	}
	return statusError(status)
}

// failed returns the error of a program that was run: what went wrong before it, or its status. A program that could not be
// started gives both.
func failed(status int, err error) error {
	if err != nil {
		return withStatus{err, status}
	}
	return exit(status)
}

// withStatus is an error with an exit status of its own.
type withStatus struct {
	error
	status int
}

// toolError is an error in another tool's words, which are printed as they are, with its exit status.
func toolError(err error) error {
	var e *api.Error
	if errors.As(err, &e) && e.Status != 0 {
		if e.Message != "" { // a program that was run has said what there was to say
			fmt.Fprintln(os.Stderr, e.Message)
		}
		return exit(e.Status)
	}
	return err
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
