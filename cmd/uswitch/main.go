// Command uswitch is a virtual switch in one process, and the gateway behind it, that say what they do with every packet.
//
// Each file here is a subcommand: its flags, and one call into cmd/internal.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	err := newRoot().Execute()
	var status statusError
	var usage usageError
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "uswitch: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "uswitch: %v\n", err)
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

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
