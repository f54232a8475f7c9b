package watch

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// Run shows a lab on the terminal until the person quits or ctx ends. Whatever was held then goes on.
func Run(ctx context.Context, lab *api.Client) error {
	if !view.IsTerminal(os.Stdin) || !view.IsTerminal(os.Stdout) {
		return errors.New("watch: this is no terminal; uswitch trace prints the same journeys, and uswitch step holds packets")
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var program *tea.Program
	model := New(ctx, lab, lab.Lab(), func(msg tea.Msg) { program.Send(msg) })
	program = tea.NewProgram(model, tea.WithContext(ctx))
	_, err := program.Run()
	switch {
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("watch: %w", err)
	case model.gone != nil:
		fmt.Fprintf(os.Stderr, "uswitch: lab %s is gone\n", lab.Lab())
	}
	return nil
}
