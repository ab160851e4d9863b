# The role of the controller, by EKS Pod Identity, and the controller itself. The policy is the one beside this folder.

variable "cluster_name" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "image_repository" {
  description = "Where the image of the controller is, without a tag."
  type        = string
}

variable "namespace" {
  type    = string
  default = "kube-system"
}

variable "service_account" {
  type    = string
  default = "lbcontroller"
}

data "aws_region" "current" {}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/eks-cluster-arn"
      values   = [data.aws_eks_cluster.this.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [var.namespace]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [var.service_account]
    }
  }
}

resource "aws_iam_policy" "this" {
  name   = "${var.cluster_name}-lbcontroller"
  policy = file("${path.module}/../policy.json")
}

resource "aws_iam_role" "this" {
  name               = "${var.cluster_name}-lbcontroller"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this.arn
}

resource "aws_eks_pod_identity_association" "this" {
  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.this.arn
}

resource "helm_release" "this" {
  name      = "lbcontroller"
  namespace = var.namespace
  chart     = "${path.module}/../../helm/lbcontroller"

  values = [yamlencode({
    clusterName    = var.cluster_name
    region         = data.aws_region.current.name
    vpcId          = var.vpc_id
    image          = { repository = var.image_repository }
    serviceAccount = { name = var.service_account }
  })]

  # Without the role the controller would start, and fail at its first call.
  depends_on = [aws_eks_pod_identity_association.this, aws_iam_role_policy_attachment.this]
}

output "role_arn" {
  value = aws_iam_role.this.arn
}
