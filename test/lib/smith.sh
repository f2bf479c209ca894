# shellcheck shell=bash
stage_smith() { :; }
