package upload

// verdict is what an error code means.
type verdict struct {
	class  class
	reason string
}

// codes are the error codes of Firehose, of STS where a role is assumed, and
// those that all of AWS has in common.
var codes = map[string]verdict{
	"ServiceUnavailableException":            {throttled, reasonThrottled},
	"ServiceUnavailable":                     {throttled, reasonThrottled},
	"SlowDown":                               {throttled, reasonThrottled},
	"Throttling":                             {throttled, reasonThrottled},
	"ThrottlingException":                    {throttled, reasonThrottled},
	"ThrottledException":                     {throttled, reasonThrottled},
	"RequestThrottled":                       {throttled, reasonThrottled},
	"RequestThrottledException":              {throttled, reasonThrottled},
	"RequestLimitExceeded":                   {throttled, reasonThrottled},
	"LimitExceededException":                 {throttled, reasonThrottled},
	"TooManyRequestsException":               {throttled, reasonThrottled},
	"ProvisionedThroughputExceededException": {throttled, reasonThrottled},

	"InternalFailure":         {retry, reasonServer},
	"InternalError":           {retry, reasonServer},
	"InternalServerError":     {retry, reasonServer},
	"InternalServerException": {retry, reasonServer},
	"InternalServiceError":    {retry, reasonServer},
	"RequestTimeout":          {retry, reasonTimeout},
	"RequestTimeoutException": {retry, reasonTimeout},
	"RequestAborted":          {retry, reasonNetwork},
	"RequestAbortedException": {retry, reasonNetwork},
	"IDPCommunicationError":   {retry, reasonNetwork},

	"ExpiredToken":                        {misconfigured, reasonExpired},
	"ExpiredTokenException":               {misconfigured, reasonExpired},
	"TokenRefreshRequired":                {misconfigured, reasonExpired},
	"RequestExpired":                      {misconfigured, reasonClock},
	"RequestTimeTooSkewed":                {misconfigured, reasonClock},
	"RequestInTheFuture":                  {misconfigured, reasonClock},
	"InvalidSignatureException":           {misconfigured, reasonCredentials},
	"SignatureDoesNotMatch":               {misconfigured, reasonCredentials},
	"UnrecognizedClientException":         {misconfigured, reasonCredentials},
	"InvalidClientTokenId":                {misconfigured, reasonCredentials},
	"InvalidAccessKeyId":                  {misconfigured, reasonCredentials},
	"InvalidIdentityToken":                {misconfigured, reasonCredentials},
	"InvalidToken":                        {misconfigured, reasonCredentials},
	"IncompleteSignature":                 {misconfigured, reasonCredentials},
	"IncompleteSignatureException":        {misconfigured, reasonCredentials},
	"MissingAuthenticationToken":          {misconfigured, reasonCredentials},
	"MissingAuthenticationTokenException": {misconfigured, reasonCredentials},
	"AuthFailure":                         {misconfigured, reasonCredentials},
	"OptInRequired":                       {misconfigured, reasonAccess},
	"NotAuthorized":                       {misconfigured, reasonAccess},
	"AccessDenied":                        {misconfigured, reasonAccess},
	"AccessDeniedException":               {misconfigured, reasonAccess},
	"UnauthorizedOperation":               {misconfigured, reasonAccess},

	"ResourceNotFoundException":   {misconfigured, reasonNoStream},
	"ResourceInUseException":      {misconfigured, reasonNoStream},
	"InvalidKMSResourceException": {misconfigured, reasonKMS},
	"InvalidSourceException":      {misconfigured, reasonSource},
	"UnknownOperationException":   {misconfigured, reasonEndpoint},
	"UnknownOperation":            {misconfigured, reasonEndpoint},

	"InvalidArgumentException":       {poisoned, reasonInvalid},
	"InvalidParameterValue":          {poisoned, reasonInvalid},
	"InvalidParameterException":      {poisoned, reasonInvalid},
	"ValidationException":            {poisoned, reasonInvalid},
	"ValidationError":                {poisoned, reasonInvalid},
	"SerializationException":         {poisoned, reasonInvalid},
	"MalformedHttpRequestException":  {poisoned, reasonInvalid},
	"RequestEntityTooLarge":          {poisoned, reasonInvalid},
	"RequestEntityTooLargeException": {poisoned, reasonInvalid},
}

// hints say what a person can do about a reason.
var hints = map[string]string{
	reasonNetwork:     "check the network, DNS, proxy and firewall on the way to the endpoint, and that the region is right",
	reasonTimeout:     "the network or Firehose is too slow; check the way to the endpoint",
	reasonServer:      "AWS has trouble of its own; see the AWS Health Dashboard",
	reasonMalformed:   "something between here and Firehose alters answers, or the endpoint is not Firehose; check --endpoint-url and proxies",
	reasonThrottled:   "the stream takes less than is offered; ask AWS to raise its quota, or send to more streams",
	reasonCredentials: "give this process credentials: an instance or task role, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --profile; they are read again at every attempt",
	reasonExpired:     "renew the session token (aws sso login, or whatever writes the credentials file); it is read again at every attempt",
	reasonClock:       "set the clock of this machine: AWS refuses signatures that are more than 5 minutes off",
	reasonAccess:      "allow firehose:PutRecordBatch on the stream to this identity",
	reasonRole:        "this identity may not assume the role: check --role-arn, the role's trust policy, and sts:AssumeRole of this identity",
	reasonNoStream:    "no such stream there: check --stream, --region and the account, or create the stream",
	reasonKMS:         "the stream's KMS key cannot be used: enable the key, and let its policy allow Firehose and this identity",
	reasonSource:      "the stream takes nothing from direct puts: it reads from Kinesis, or has CloudWatch Logs decompression switched on; switch it off, or use a stream of type DirectPut",
	reasonRegion:      "name the region with --region or AWS_REGION",
	reasonSetup:       "check --profile and the files ~/.aws/config and ~/.aws/credentials; they are read again at every attempt",
	reasonTLS:         "the endpoint's certificate is not trusted: if a proxy inspects TLS, name its CA in AWS_CA_BUNDLE; else check --endpoint-url",
	reasonEndpoint:    "what answers there is not Firehose: check --endpoint-url and proxies",
	reasonInvalid:     "Firehose refuses one record after another: check the stream's type and configuration; see the records under dead/ in the spool directory",
	reasonUnknown:     "unknown fault; the text says what AWS or the SDK did not like",
}
