# A headless Chromium, spoken to by its DevTools protocol through a pair of pipes.
package Chromium;

use strict;
use warnings;
use IO::Select;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use POSIX qw(dup2 WNOHANG _exit);
use Time::HiRes qw(sleep time);

# Returns where Chromium is, if it is.
sub found
{
	return (grep { -x } map { my $name = $_; map { "$_/$name" } split /:/, $ENV{PATH} } qw(chromium chromium-browser google-chrome))[0];
}

# Opens a page.  It reaches nothing but 127.0.0.1; $dir is for the browser's files.
sub new
{
	my ($class, $dir, $url, @options) = @_;
	pipe(my $asked, my $ask) or die $!;
	pipe(my $answer, my $answers) or die $!;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		# out of the way first: the pipes may have the very numbers that they get
		dup2(fileno $asked, 20);
		dup2(fileno $answers, 21);
		dup2(20, 3);
		dup2(21, 4);
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', "$dir.log");
		open(STDERR, '>&', \*STDOUT);
		exec(found(), qw(--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --remote-debugging-pipe),
			'--window-size=1400,1200', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1', "--user-data-dir=$dir", @options, 'about:blank') or _exit(127);
	}
	close $asked;
	close $answers;
	binmode $ask;
	binmode $answer;
	$ask->autoflush;
	my $self = bless { pid => $pid, ask => $ask, answer => $answer, select => IO::Select->new($answer), rest => '', number => 0, complaints => [] }, $class;
	my ($page) = grep { $_->{type} eq 'page' } @{ $self->call('Target.getTargets')->{targetInfos} };
	$self->{session} = $self->call('Target.attachToTarget', targetId => $page->{targetId}, flatten => JSON::PP::true)->{sessionId};
	$self->call("$_.enable") for qw(Runtime Log Page);
	$self->call('Page.navigate', url => $url);
	return $self;
}

# Calls a method of the protocol, notes what the page complains of meanwhile, and
# returns the result.
sub call
{
	my ($self, $method, %arguments) = @_;
	my $number = ++$self->{number};
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{ask} } encode_json({ id => $number, method => $method, params => \%arguments, ($self->{session} ? (sessionId => $self->{session}) : ()) }), "\0";
	my $until = time + 30;
	while (time < $until)
	{
		while ($self->{rest} =~ s/^([^\0]*)\0//)
		{
			my $message = decode_json($1);
			if (defined $message->{id} && $message->{id} == $number)
			{
				die "$method: $message->{error}{message}\n" if $message->{error};
				return $message->{result};
			}
			$self->note($message);
		}
		next unless $self->{select}->can_read(0.5);
		sysread($self->{answer}, $self->{rest}, 1 << 20, length $self->{rest}) or die "the browser has ended\n";
	}
	die "$method: no answer\n";
}

sub note
{
	my ($self, $message) = @_;
	my ($method, $about) = (($message->{method} // ''), $message->{params});
	push @{ $self->{complaints} }, $about->{entry}{text} . ' ' . ($about->{entry}{url} // '') if $method eq 'Log.entryAdded' && $about->{entry}{level} =~ /error|warning/;
	push @{ $self->{complaints} }, join ' ', map { $_->{value} // $_->{description} // '' } @{ $about->{args} } if $method eq 'Runtime.consoleAPICalled' && $about->{type} =~ /error|warning|assert/;
	push @{ $self->{complaints} }, $about->{exceptionDetails}{exception}{description} // $about->{exceptionDetails}{text} if $method eq 'Runtime.exceptionThrown';
	return;
}

# Returns what an expression of JavaScript is in the page.
sub value
{
	my ($self, $expression) = @_;
	my $result = $self->call('Runtime.evaluate', expression => $expression, returnByValue => JSON::PP::true, awaitPromise => JSON::PP::true);
	die "$expression: $result->{exceptionDetails}{exception}{description}\n" if $result->{exceptionDetails};
	return $result->{result}{value};
}

# Waits until an expression holds; returns whether it came to that.
sub becomes
{
	my ($self, $expression, $seconds) = @_;
	my $until = time + ($seconds // 20);
	do
	{
		return 1 if eval { $self->value($expression) };
		sleep(0.1);
	} while (time < $until);
	return 0;
}

# Returns what console and network have complained of since the last time.
sub complaints
{
	my ($self) = @_;
	$self->call('Runtime.evaluate', expression => '0');
	my $text = join "\n", @{ $self->{complaints} };
	$self->{complaints} = [];
	return $text;
}

# Writes a picture of the whole page.
sub picture
{
	my ($self, $file) = @_;
	my $picture = $self->call('Page.captureScreenshot', captureBeyondViewport => JSON::PP::true);
	open(my $handle, '>:raw', $file) or die $!;
	print $handle decode_base64($picture->{data});
	close $handle;
	return;
}

sub close_browser
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	eval { delete $self->{session}; $self->call('Browser.close') };
	for (1 .. 50)
	{
		return if waitpid($pid, WNOHANG) != 0;
		sleep(0.1);
	}
	kill 'KILL', $pid;
	waitpid($pid, 0);
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@);
	$self->close_browser;
	return;
}

1;
