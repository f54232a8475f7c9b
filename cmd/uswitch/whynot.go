package main

import (
	"context"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

func newWhyNot() *cobra.Command {
	return questionOf("why-not", "Say what keeps a packet from being answered, and the commands that would let it pass",
		`It follows the question's way out and the answer's way back. Every command was tried on a copy of the lab before it is
proposed; it is up to you to type it.`,
		func(ctx context.Context, lab *api.Client, q api.Question) (any, func() error, error) {
			a := new(api.Advice)
			err := lab.Do(ctx, http.MethodPost, "/v1/why-not", nil, q, a)
			return a, func() error { return view.Advice(os.Stdout, a) }, err
		})
}
